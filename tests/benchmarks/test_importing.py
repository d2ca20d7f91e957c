"""Official files become tables; wrong ones are one clear line, and what was there stays."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nds_entries import made_entries

from zcproxy.benchmarks.nds.labels import FILES, convert_entries
from zcproxy.benchmarks.shared.imported import imported_path, manifest_path, read_manifest
from zcproxy.errors import BenchmarkError
from zcproxy.names.tasks import get_task

Command = Callable[..., tuple[int, str, str]]
DARTS = "nds/darts-imagenet"


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory that does not exist yet."""
    monkeypatch.setenv("ZCPROXY_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def write_entries(folder: Path, stem: str, count: int) -> Path:
    path = folder / f"{stem}.json.gz"
    path.write_bytes(gzip.compress(json.dumps(made_entries(stem.partition("_")[0], count)).encode()))
    return path


def labels(name: str) -> dict[str, float]:
    task = get_task(name)
    architectures = task.architectures("all")
    return dict(zip(architectures, task.labels(architectures), strict=True))


@pytest.mark.parametrize(
    ("benchmark", "path", "tasks"),
    [
        ("nds", "nds/DARTS_in.json.gz", [DARTS]),
        ("nds", "nds", [DARTS, "nds/enas-imagenet", "nds/resnext-b-imagenet"]),
        ("transnas101", "transnas101", ["transnas101/micro-jigsaw", "transnas101/macro-object"]),
        ("ofa_mobilenetv3", "ofa_mobilenetv3", ["ofa_mobilenetv3/imagenet"]),
        ("nats_sss", "nats_sss/nats_sss.parquet", ["nats_sss/cifar100"]),
        ("nasbench201", "nasbench201/nasbench201.parquet", ["nasbench201/cifar10"]),
        ("nasbench101", "nas_bench_101", ["nasbench101/cifar10"]),
    ],
)
def test_imported_labels_are_those_of_the_files(
    run: Command, real_data: Path, directory: Path, benchmark: str, path: str, tasks: list[str]
) -> None:
    code, _, error = run("benchmark", "import", benchmark, str(real_data / path))
    assert (code, "left out" in error) == (0, False)
    imported = {task: labels(task) for task in tasks}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZCPROXY_DATA", str(real_data))
        assert {task: labels(task) for task in tasks} == imported
    manifest = read_manifest(imported_path(benchmark, get_task(tasks[0]).source.name))  # type: ignore[attr-defined]
    assert manifest["official"] is True
    assert len(imported[tasks[0]]) == manifest["rows"]
    code, _, error = run("benchmark", "verify", benchmark)
    assert code == 0
    assert all(f"{task}: {len(imported[task]):,} labels" in error for task in tasks)


def test_a_zip_archive(run: Command, directory: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        archive.writestr("nds_data/DARTS_in.json", json.dumps(made_entries("DARTS", 21), indent=1))
        archive.writestr("nds_data/README.txt", "about")
    code, _, error = run("benchmark", "import", "nds", str(tmp_path / "data.zip"))
    assert code == 2
    assert "DARTS_in.json is not the official file" in error and "--trust" in error
    code, _, error = run("benchmark", "import", "nds", str(tmp_path / "data.zip"), "--trust")
    assert (code, "21 networks from DARTS_in.json (trusted, not known)" in error) == (0, True)
    assert read_manifest(imported_path("nds", "DARTS_in"))["official"] is False


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda entry: entry["net"]["genotype"]["normal"][3].__setitem__(0, "conv_9x9"), "'conv_9x9' is not one of"),
        (lambda entry: entry["net"]["genotype"]["reduce"][0].__setitem__(1, 5), "must come from a node before 2"),
        (lambda entry: entry.__setitem__("test_ep_top1", []), "its error, params or flops are missing"),
        (lambda entry: entry.__setitem__("test_ep_top1", [float("nan")]), "the training diverged"),
        (lambda entry: entry.pop("net"), "the entry has no 'net'"),
    ],
)
def test_a_bad_entry_is_named_and_the_others_stay(
    run: Command, directory: Path, tmp_path: Path, change: Callable[[Any], object], message: str
) -> None:
    content = made_entries("DARTS", 21)
    change(content[7])
    (tmp_path / "DARTS_in.json").write_text(json.dumps(content))
    code, _, error = run("benchmark", "import", "nds", "DARTS_in.json", "--trust")
    assert (code, "20 networks" in error) == (0, True)
    line = next(line for line in error.splitlines() if "left out" in line)
    assert "nds, DARTS_in: left out entry 7: " in line and message in line
    assert len(get_task(DARTS).architectures("all")) == 20


def test_a_failed_import_leaves_the_old_one_and_the_other_tables(run: Command, directory: Path, tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    darts = write_entries(files, "DARTS_in", 21)
    assert run("benchmark", "import", "nds", str(darts), "--trust")[0] == 0
    before = labels(DARTS)
    write_entries(files, "ENAS_in", 17)
    darts.write_bytes(darts.read_bytes()[:-500])
    code, _, error = run("benchmark", "import", "nds", "files", "--trust")
    assert code == 2
    assert "nds, DARTS_in: " in error and "cannot be read" in error and "nds, ENAS_in: 17 networks" in error
    assert labels(DARTS) == before
    assert len(get_task("nds/enas-imagenet").architectures("all")) == 17


def test_an_imported_table_that_was_changed(run: Command, directory: Path, tmp_path: Path) -> None:
    run("benchmark", "import", "nds", str(write_entries(tmp_path, "DARTS_in", 21)), "--trust")
    place = imported_path("nds", "DARTS_in")
    place.write_bytes(place.read_bytes()[:-9])
    code, _, error = run("benchmark", "verify", "nds")
    assert code == 2
    assert "DARTS_in.parquet is truncated or changed" in error
    manifest_path(place).unlink()
    with pytest.raises(BenchmarkError, match="is not a manifest of an imported table"):
        get_task(DARTS).architectures("all")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nd", "."), "unknown benchmark 'nd' (did you mean nds"),
        (("nds", "nowhere"), "there is no file or folder nowhere"),
        (("nds", "."), "is or holds no file of nds: expected are files such as DARTS_in.json, DARTS.json"),
        (("nds", "bad.zip"), "bad.zip is not a zip archive"),
        (("nds", "ENAS_in.json", "--trust"), "this is not a json file of NDS"),
        (("nds", "PNAS_in.json", "--trust"), "holds no list of NDS entries but a str"),
        (("nds", "Amoeba_in.json", "--trust"), "no entry is a network of the NDS family Amoeba; entry 0: this is no"),
        (("transnas101", "transbench101_jigsaw.csv", "--trust"), "this is not a table of TransNAS-Bench-101"),
        (("transnas101", "other.pth"), "the digest of other.pth is not known: import it with --trust"),
        (("transnas101", "other.pth", "--trust"), "it has no 'data'"),
        (("nasbench201", "other.pth"), "'other.pth' names no release that can be read"),
        (("nasbench201", "NATS-tss-v1_0-3ffb9-simple"), "simple is not known: import it with --trust"),
        (("nats_sss", "nats_sss.parquet", "--trust"), "is not a table of labels"),
        (("ofa_mobilenetv3", "mbnv3w10_evonsga2_acc_macs.csv"), "mbnv3w10_linasnsga2_acc_macs.csv is missing"),
    ],
)
def test_wrong_files_are_one_line(
    run: Command, directory: Path, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    (tmp_path / "NATS-tss-v1_0-3ffb9-simple").mkdir()
    for name in ("bad.zip", "ENAS_in.json", "transbench101_jigsaw.csv", "nats_sss.parquet"):
        (tmp_path / name).write_text("neither this\nnor that")
    (tmp_path / "mbnv3w10_evonsga2_acc_macs.csv").write_text("x\n")
    (tmp_path / "PNAS_in.json").write_text('"text"')
    (tmp_path / "Amoeba_in.json").write_text('[{"net": {}}]')
    torch.save({"weights": torch.zeros(2)}, tmp_path / "other.pth")
    if words == ("nds", "."):
        (tmp_path / "ENAS_in.json").unlink()
        (tmp_path / "PNAS_in.json").unlink()
        (tmp_path / "Amoeba_in.json").unlink()
    code, _, error = run("benchmark", "import", *words)
    line = next(line for line in error.splitlines() if line.startswith("zcproxy: "))
    assert (code, message in line) == (2, True), line
    assert not directory.exists()


def test_transnas_release(run: Command, directory: Path, tmp_path: Path) -> None:
    data = {
        "micro": {
            "64-41414-1_02_333": {"class_object": {"metrics": {"test_top1": [10.0, 42.5, 42.0]}}},
            "64-41414-9_02_333": {"class_object": {"metrics": {"test_top1": [10.0]}}},
        }
    }
    torch.save({"data": data}, tmp_path / "transnas-bench_v10141024.pth")
    code, _, error = run("benchmark", "import", "transnas101", "transnas-bench_v10141024.pth", "--trust")
    assert code == 2  # the other five tables are not in this file
    assert "micro-object: 1 networks" in error and "left out '64-41414-9_02_333'" in error
    assert labels("transnas101/micro-object") == {"64-41414-1_02_333": 42.5}


def test_repeated_networks_get_the_mean_of_their_trainings() -> None:
    first, second = made_entries("DARTS", 2)
    again = {**first, "test_ep_top1": [90.0, 50.0]}
    frame = convert_entries("DARTS", [json.dumps({"top": [first, second], "mid": [again]}).encode()]).frame
    assert frame["trainings"].tolist() == [2, 1]
    assert frame["accuracy"][0] == pytest.approx(np.mean([100 - first["test_ep_top1"][-1], 50.0]))


def test_list_says_what_is_here_and_how_to_get_the_rest(run: Command, directory: Path, tmp_path: Path) -> None:
    code, shown, _ = run("benchmark", "list")
    assert code == 0
    assert "0 of 26 tasks" in shown and "https://dl.fbaipublicfiles.com/nds/data.zip" in shown
    run("benchmark", "import", "nds", str(write_entries(tmp_path, "ENAS_in", 17)), "--trust")
    shown = run("benchmark", "list", "nds")[1]
    assert "1 of 26 tasks" in shown and "(enas-imagenet)" not in shown and "enas-imagenet" in shown
    assert run("benchmark", "list", "ndss")[0] == 2


def test_tasks_without_labels_say_how_to_get_them(run: Command, directory: Path) -> None:
    directory.mkdir()
    code, _, error = run("score", "synflow", "nds/amoeba-cifar10", "--networks", "5")
    assert code == 2
    assert "has no nds/Amoeba.json" in error and "zcproxy benchmark import nds PATH" in error


def test_known_files_are_the_official_list(real_data: Path) -> None:
    lines = (real_data / "nds" / "missing_official_files_git_blob_ids.txt").read_text().splitlines()
    official = {name: digest for digest, name, _ in (line.split() for line in lines if not line.startswith("#"))}
    assert {f"{file.stem}.json": file.digest for file in FILES.values()}.items() <= official.items()
