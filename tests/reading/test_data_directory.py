from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from zcproxy.errors import BenchmarkError
from zcproxy.images.published import Images, image_batch
from zcproxy.names.families import embedded_families
from zcproxy.names.tasks import get_task, task_names
from zcproxy.reading.data_directory import data_directory, verified_file

CONTENT = b"measured accuracies"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZCPROXY_DATA", str(tmp_path))
    (tmp_path / "table").write_bytes(CONTENT)
    return tmp_path


def one_line(error: pytest.ExceptionInfo[BenchmarkError]) -> str:
    message = str(error.value)
    assert "\n" not in message
    return message


def test_variable_names_the_directory(folder: Path) -> None:
    assert data_directory() == folder


def test_without_variable_the_user_directory_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZCPROXY_DATA", raising=False)
    monkeypatch.setattr("platformdirs.user_data_path", lambda name: tmp_path)
    assert data_directory() == tmp_path


def test_missing_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZCPROXY_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(BenchmarkError) as error:
        data_directory()
    message = one_line(error)
    assert str(tmp_path / "nowhere") in message and "set ZCPROXY_DATA" in message


def test_verified_file(folder: Path) -> None:
    assert verified_file("table", SHA256) == folder / "table"


def test_missing_file(folder: Path) -> None:
    with pytest.raises(BenchmarkError) as error:
        verified_file("labels/other", SHA256)
    assert str(folder / "labels/other") in one_line(error)


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT + b"!", b"", CONTENT.upper()])
def test_truncated_or_changed_file(folder: Path, content: bytes) -> None:
    verified_file("table", SHA256)
    path = folder / "table"
    path.write_bytes(content)
    os.utime(path, ns=(0, 0))  # also noticed where the file looks older than the verified one
    with pytest.raises(BenchmarkError, match="truncated or changed") as error:
        verified_file("table", SHA256)
    assert str(path) in one_line(error)


def test_unreadable_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(BenchmarkError, match="Permission denied") as error:
        verified_file("table", SHA256)
    one_line(error)


def test_file_is_hashed_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    verified_file("table", SHA256)
    monkeypatch.setattr("hashlib.sha256", lambda *_: pytest.fail("hashed again"))
    verified_file("table", SHA256)


def test_task_names_are_the_names_of_tasks() -> None:
    datasets = ("cifar10", "cifar100", "imagenet16-120")
    families = ("nasbench201", "nats_sss")
    embedded = embedded_families()
    published = [f"{family}/{name}" for family in families for name in datasets]
    assert embedded[0] == "digits201"
    others = ["diswot/cifar100", "diswot/cifar100-plain", "nas_bench_bert/glue", "nasbench101/cifar10"]
    assert task_names()[: len(embedded) + 10] == [*embedded, *others, *published]
    assert {"nds/darts-imagenet", "transnas101/micro-jigsaw", "ofa_mobilenetv3/imagenet"} <= set(task_names())
    assert [get_task(name).name for name in task_names()] == task_names()


@pytest.mark.parametrize("name", ["nasbench201/cifar11", "nasbench201", "", "cifar10", "nasbench201/cifar10/x"])
def test_unknown_task(name: str) -> None:
    with pytest.raises(BenchmarkError) as error:
        get_task(name)
    message = one_line(error)
    assert repr(name) in message and "zcproxy benchmark list" in message


def test_unknown_task_proposes_the_nearest() -> None:
    with pytest.raises(BenchmarkError, match="did you mean nasbench201/cifar10"):
        get_task("nasbench201/cifar11")


def test_unknown_image_dataset() -> None:
    with pytest.raises(BenchmarkError, match="did you mean cifar10"):
        image_batch(Images("cifar", 32), 4, 10)
