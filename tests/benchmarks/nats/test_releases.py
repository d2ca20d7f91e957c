"""Releases of NAS-Bench-201 and NATS-Bench become tables, and the command imports them."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nas_201_api
import numpy as np
import pandas as pd
import pytest

from zcproxy.benchmarks.nasbench201 import NASBench201Space, official as cells
from zcproxy.benchmarks.nats_sss import NATSSizeSpace, official as sizes
from zcproxy.errors import BenchmarkError, ConfigurationError
from zcproxy.names.tasks import get_task

from .releases import (
    COLUMNS,
    INDICES,
    SSS,
    TORCH,
    TSS,
    cell_record,
    dump,
    one_line,
    release,
    write_folder,
    write_torch,
)


def agrees(frame: pd.DataFrame, published: pd.DataFrame) -> None:
    """Check a table of cells against the published one; its labels of CIFAR-10 are rounded, and of several releases."""
    expected = published.loc[list(INDICES)]
    assert frame.index.tolist() == list(INDICES) and frame.index.name == "index"
    assert frame["arch"].tolist() == expected["arch"].tolist()
    for column in frame.columns.drop("arch"):
        if column.startswith(("params", "pruned")):
            assert frame[column].dtype == np.int64 and frame[column].tolist() == expected[column].tolist()
        else:
            np.testing.assert_allclose(frame[column], expected[column], rtol=2e-6, err_msg=column)
    assert set(frame) == {
        "arch", "pruned_index",
        *(f"{dataset}/{label}" for dataset in COLUMNS.values() for label in ("test_200", "val_200", "test_12")),
        *(f"cifar10/test_200_trial{number}" for number in range(3)),
        *(f"params_{dataset}" for dataset in COLUMNS.values()),
        *(f"flops_M_{dataset}_derived" for dataset in COLUMNS.values()),
    }  # fmt: skip


@pytest.mark.parametrize("zipped", [False, True])
def test_torch_release(
    zipped: bool, tmp_path: Path, tss: pd.DataFrame, cell_texts: list[str], torch_records: dict[int, Any]
) -> None:
    path = write_torch(tmp_path / TORCH, cell_texts, torch_records, zipped=zipped)
    told: list[tuple[int, int]] = []
    frame = cells.read_official(path, progress=lambda done, total: told.append((done, total)))
    assert told == [(done, 4) for done in range(1, 5)]
    agrees(frame, tss)
    named = {index: {"less": record["12"], "full": record["200"]} for index, record in torch_records.items()}
    api = nas_201_api.NASBench201API(release(cell_texts, named), verbose=False)
    for dataset, column in COLUMNS.items():
        for index in INDICES:
            for hp in ("12", "200"):
                info = api.get_more_info(index, dataset, hp=hp, is_random=False)
                assert frame.loc[index, f"{column}/test_{hp}"] == pytest.approx(info["test-accuracy"], rel=1e-12)
            cost = api.get_cost_info(index, dataset, hp="200")
            assert frame.loc[index, f"params_{column}"] == round(1e6 * cost["params"])
            assert frame.loc[index, f"flops_M_{column}_derived"] == pytest.approx(cost["flops"], rel=1e-12)


@pytest.mark.parametrize("single", [False, True])
def test_topology_release(
    single: bool, tmp_path: Path, tss: pd.DataFrame, cell_texts: list[str], cell_records: dict[int, Any], nats: Any
) -> None:
    path = tmp_path / f"{TSS}.pickle.pbz2" if single else tmp_path / f"{TSS}-simple"
    if single:
        dump(release(cell_texts, {np.int64(index): record for index, record in cell_records.items()}), path)
    else:
        write_folder(path, cell_texts, cell_records)
    frame = cells.read_official(path)
    agrees(frame, tss)
    api = nats.create(str(path), "tss", fast_mode=not single, verbose=False)
    for dataset, column in COLUMNS.items():
        info = api.get_more_info(11, dataset, hp="200", is_random=False)
        assert frame.loc[11, f"{column}/test_200"] == pytest.approx(info["test-accuracy"], rel=1e-12)


@pytest.mark.parametrize("single", [False, True])
def test_size_release(single: bool, tmp_path: Path, sss: pd.DataFrame, size_records: dict[int, Any]) -> None:
    texts = sss["arch_str"].tolist()
    path = tmp_path / f"{SSS}.pickle.pbz2" if single else tmp_path / f"{SSS}-simple"
    if single:
        dump(release(texts, size_records), path)
    else:
        write_folder(path, texts, size_records)
    frame = sizes.read_official(path)
    expected = sss.loc[[0, 11, 32767]]
    assert frame.index.tolist() == [0, 11, 32767]
    for column in frame.columns.drop([name for name in frame if name.startswith("flops")]):
        assert frame[column].tolist() == expected[column].tolist()
    macs = [NATSSizeSpace().macs(text, (3, 16, 16), 120) for text in frame["arch_str"]]
    assert frame["flops_M_imagenet16"].tolist() == [count / 1e6 for count in macs]


def test_pruned_index_is_the_index_of_the_pruned_cell(tmp_path: Path, tss: pd.DataFrame, cell_texts: list[str]) -> None:
    dead = [int(index) for index in tss.index[tss["pruned_index"] != tss.index][:3]]
    records = {index: cell_record(nas_201_api, tss.iloc[index], index) for index in dead}
    frame = cells.read_official(write_torch(tmp_path / TORCH, cell_texts, records))
    assert frame["pruned_index"].tolist() == tss.loc[dead, "pruned_index"].tolist()
    space = NASBench201Space()
    assert [cell_texts[index] for index in frame["pruned_index"]] == [space.prune(cell) for cell in frame["arch"]]


def test_what_a_release_lacks_is_nan(tmp_path: Path, cell_texts: list[str], torch_records: dict[int, Any]) -> None:
    record = torch_records[284]
    record["12"]["dataset_seed"] = {"cifar10-valid": [777]}
    del record["200"]["dataset_seed"]["cifar10-valid"]
    record["200"]["dataset_seed"]["cifar10"] = [888]
    frame = cells.read_official(write_torch(tmp_path / TORCH, cell_texts, {284: record}))
    missing = {name for name in frame if frame[name].isna().all()}
    assert missing == {
        "cifar10/test_12", "cifar100/test_12", "imagenet16/test_12", "cifar10/val_200",
        "cifar10/test_200_trial0", "cifar10/test_200_trial2",
    }  # fmt: skip
    assert frame.loc[284, "cifar10/test_200"] == frame.loc[284, "cifar10/test_200_trial1"]


def test_where_trainings_disagree_on_the_size_seed_888_is_right(
    tmp_path: Path, tss: pd.DataFrame, cell_texts: list[str], torch_records: dict[int, Any]
) -> None:
    torch_records[11]["200"]["all_results"]["cifar10", 777].update(params=0.316346, flop=40.0)
    frame = cells.read_official(write_torch(tmp_path / TORCH, cell_texts, torch_records))
    assert frame.loc[11, "params_cifar10"] == tss.loc[11, "params_cifar10"]
    assert frame.loc[11, "flops_M_cifar10_derived"] == tss.loc[11, "flops_M_cifar10_derived"]


def test_releases_by_name() -> None:
    assert cells.release_of(Path("somewhere") / TORCH) == "NAS-Bench-201-v1_1"
    assert cells.release_of(Path("NAS-Bench-201-v1_0-e61699.pth")) == "NAS-Bench-201-v1_0"
    assert cells.release_of(Path(f"{TSS}-simple/")) == "NATS-tss-v1_0"
    assert sizes.release_of(Path(f"{SSS}.pickle.pbz2")) == "NATS-sss-v1_0"
    for module, name in ((cells, f"{SSS}-simple"), (sizes, TORCH), (cells, "NAS-Bench-201-v1_10-abc.pth")):
        with pytest.raises(BenchmarkError, match=r"supported are .*v1_0") as raised:
            module.release_of(Path(name))
        assert name in str(raised.value)


def test_no_release_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / f"{SSS}-simple"
    folder.mkdir()
    assert "the content of the folder" in str(sizes.not_known(folder)) and "`trust`" in str(sizes.not_known(folder))
    path = tmp_path / f"{TSS}.pickle.pbz2"
    path.write_bytes(b"something")
    told = str(cells.not_known(path))
    assert "is truncated or changed: its md5 ends in " in told and "the official one in 3ffb9; fetch it again" in told
    monkeypatch.setitem(cells.RELEASES, "NATS-tss-v1_0", hashlib.md5(b"something").hexdigest()[-5:])
    told = str(cells.not_known(path))
    assert "is not known" in told and "5 digits are easily forged; import it with `trust`" in told
    readers: list[Callable[[Path], object]] = [cells.not_known, cells.read_official, sizes.read_official]
    for read in readers:
        with pytest.raises(BenchmarkError, match=r"cannot be read \(No such file"):
            read(tmp_path / "NAS-Bench-201-v1_0-e61699.pth")


def test_without_nats_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nats_bench.api_utils", None)
    for module in (cells, sizes):
        with pytest.raises(ConfigurationError, match=r"pip install 'zcproxy\[nats\]'") as raised:
            module.read_official(tmp_path)
        one_line(raised)


def test_import_of_a_release(
    run: Callable[..., tuple[int, str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tss: pd.DataFrame,
    cell_texts: list[str],
    torch_records: dict[int, Any],
) -> None:
    monkeypatch.setenv("ZCPROXY_DATA", str(tmp_path / "data"))
    write_torch(tmp_path / TORCH, cell_texts, torch_records)
    code, _, error = run("benchmark", "import", "nasbench201", TORCH)
    assert (code, "its md5 ends in" in error) == (2, True)
    code, _, error = run("benchmark", "import", "nasbench201", TORCH, "--trust")
    assert (code, f"4 networks from {TORCH} (trusted, not known)" in error) == (0, True), error
    task = get_task("nasbench201/cifar100")
    published = tss.loc[list(INDICES)]
    assert task.architectures("all") == tuple(published["arch"])
    assert np.allclose(task.labels(published["arch"].tolist()), published["cifar100/test_200"], atol=1e-4)
    assert set(task.architectures("pruned")) == {
        row.arch for row in published.itertuples() if row.pruned_index == row.Index
    }


def test_import_of_a_folder_needs_trust(
    run: Callable[..., tuple[int, str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sss: pd.DataFrame,
    size_records: dict[int, Any],
) -> None:
    monkeypatch.setenv("ZCPROXY_DATA", str(tmp_path / "data"))
    write_folder(tmp_path / f"{SSS}-simple", sss["arch_str"].tolist(), size_records)
    code, _, error = run("benchmark", "import", "nats_sss", f"{SSS}-simple")
    assert (code, "import it with --trust" in error) == (2, True)
    assert run("benchmark", "import", "nats_sss", f"{SSS}-simple", "--trust")[0] == 0
    task = get_task("nats_sss/cifar10")
    published = sss.set_index("arch_str").loc[list(task.architectures("all"))]
    assert np.allclose(task.labels(task.architectures("all")), published["cifar10_test_90_natsv10"], atol=1e-4)
    assert len(published) == len(size_records)
