"""Official files of NAS-Bench-201 and NATS-Bench, made small with the classes of their own packages."""

from __future__ import annotations

import bz2
import hashlib
import io
import os
import pickle
import sys
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nas_201_api
import numpy as np
import pandas as pd
import pytest
import torch

from zcproxy.benchmarks.nasbench201 import NASBench201Space, official as cells
from zcproxy.benchmarks.nats_sss import NATSSizeSpace, official as sizes
from zcproxy.errors import BenchmarkError
from zcproxy.names.tasks import get_task
from zcproxy.reading.safe_pickle import read_pickle

TSS, SSS = "NATS-tss-v1_0-3ffb9", "NATS-sss-v1_0-50262"
TORCH = "NAS-Bench-201-v1_1-096897.pth"
INDICES = (0, 11, 284, 6111)
SEEDS = (777, 888, 999)
COLUMNS = {"cifar10": "cifar10", "cifar100": "cifar100", "ImageNet16-120": "imagenet16"}

Edit = Callable[[dict[int, Any]], None]


class Attack:
    """Pickles to a call that makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.folder),)


@pytest.fixture(scope="session")
def tss(real_data: Path) -> pd.DataFrame:
    return pd.read_parquet(real_data / "nasbench201/nasbench201.parquet")


@pytest.fixture(scope="session")
def sss(real_data: Path) -> pd.DataFrame:
    return pd.read_parquet(real_data / "nats_sss/nats_sss.parquet")


@pytest.fixture(scope="session")
def nats() -> Any:
    return pytest.importorskip("nats_bench", reason="the package that reads NATS-Bench is an optional extra")


def training(
    package: Any, dataset: str, seed: int, epochs: int, accuracies: Mapping[str, float], config: dict[str, Any],
    params: int, flops: float,
) -> Any:  # fmt: skip
    """One training as the authors' scripts store it: accuracies of the last epoch, times of all, numpy's numbers."""
    curve = OrderedDict((epoch, 99.0) for epoch in range(epochs))
    count = package.ResultsCount(
        dataset, None, curve, curve, np.float64(params / 1e6), float(flops), config, str(seed), epochs, [0.01]
    )
    for subset, accuracy in accuracies.items():
        count.update_OLD_eval(subset, {epochs - 1: accuracy}, {epochs - 1: np.float64(0.5)})
        count.reset_pseudo_eval_times(subset, np.float64(2.5))
    count.reset_pseudo_train_times(1.5)
    return count


def cell_record(package: Any, row: pd.Series, index: int) -> dict[str, Any]:
    """A record of the schedules `12` and `200`; CIFAR-100 is trained twice, a point above and below the mean."""
    config = {"channel": 16, "num_cells": 5, "arch_str": row["arch"], "class_num": 10}
    states = {}
    for schedule in ("12", "200"):
        results = package.ArchResults(index, row["arch"])
        for dataset, column in COLUMNS.items():
            mean = float(row[f"{column}/test_{schedule}"])
            trials = {777: mean}
            if schedule == "200" and column == "cifar10":
                stored = {seed: row[f"cifar10/test_200_trial{number}"] for number, seed in enumerate(SEEDS)}
                trials = {seed: accuracy for seed, accuracy in stored.items() if np.isfinite(accuracy)}
            elif schedule == "200" and column == "cifar100":
                trials = {777: mean - 1, 888: mean + 1}
            for seed, accuracy in trials.items():
                cost = row[f"params_{column}"], row[f"flops_M_{column}_derived"]
                subsets = {"ori-test": float(accuracy)}
                if column != "cifar10":
                    subsets = {"ori-test": 1.0, "x-valid": float(row[f"{column}/val_200"]), "x-test": float(accuracy)}
                one = training(package, dataset, seed, int(schedule), subsets, config, *cost)
                results.update(dataset, seed, one)
        subsets = {"x-valid": row["cifar10/val_200"], "ori-test": 2.0}
        cost = row["params_cifar10"], row["flops_M_cifar10_derived"]
        results.update(
            "cifar10-valid", 777, training(package, "cifar10-valid", 777, int(schedule), subsets, config, *cost)
        )
        states[schedule] = results.state_dict()
    return states


def size_record(package: Any, row: pd.Series, index: int) -> dict[str, Any]:
    text, space = row["arch_str"], NATSSizeSpace()
    config = {"name": "infer.shape.tiny", "channels": text, "arch_str": text, "genotype": "", "class_num": 10}
    results = package.ArchResults(index, text)
    for dataset, column in COLUMNS.items():
        side, classes = (16, 120) if column == "imagenet16" else (32, 10 if column == "cifar10" else 100)
        accuracy = row[f"{column}_test_90_natsv10"]
        subsets = (
            {"ori-test": accuracy} if column == "cifar10" else {"ori-test": 1.0, "x-valid": 2.0, "x-test": accuracy}
        )
        flops = space.macs(text, (3, side, side), classes) / 1e6
        one = training(package, dataset, 777, 90, subsets, config, row[f"params_{column}"], flops)
        results.update(dataset, 777, one)
    return {"90": results.state_dict()}


def dump(content: Any, path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(bz2.compress(pickle.dumps(content, protocol=4), 1))
    return path


def release(architectures: list[str], records: Mapping[Any, Any]) -> dict[str, Any]:
    total = len(architectures)
    return {
        "meta_archs": architectures, "total_archs": total, "arch2infos": records, "evaluated_indexes": set(records)
    }  # fmt: skip


def write_folder(folder: Path, architectures: list[str], records: Mapping[int, Any]) -> Path:
    dump({**release(architectures, {}), "arch2infos": None}, folder / "meta.pickle.pbz2")
    for index, record in records.items():
        dump(record, folder / f"{index:06d}.pickle.pbz2")
    return folder


def write_torch(path: Path, architectures: list[str], records: Mapping[int, Any], *, zipped: bool = False) -> Path:
    named = {index: {"less": record["12"], "full": record["200"]} for index, record in records.items()}
    torch.save(release(architectures, named), path, _use_new_zipfile_serialization=zipped)
    return path


@pytest.fixture(scope="session")
def cell_texts(tss: pd.DataFrame) -> list[str]:
    return tss["arch"].tolist()


@pytest.fixture
def torch_records(tss: pd.DataFrame) -> dict[int, Any]:
    return {index: cell_record(nas_201_api, tss.iloc[index], index) for index in INDICES}


@pytest.fixture
def cell_records(tss: pd.DataFrame, nats: Any) -> dict[int, Any]:
    return {index: cell_record(nats, tss.iloc[index], index) for index in INDICES}


@pytest.fixture
def size_records(sss: pd.DataFrame, nats: Any) -> dict[int, Any]:
    return {index: size_record(nats, sss.iloc[index], index) for index in (32767, 0, 11)}


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


# Reading


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


def test_pruned_index_is_the_official_index_of_the_pruned_cell(
    tmp_path: Path, tss: pd.DataFrame, cell_texts: list[str]
) -> None:
    dead = [int(index) for index in tss["index"][tss["pruned_index"] != tss["index"]][:3]]
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


# Names and digests


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
    assert "the content of the folder" in str(sizes.not_known(folder)) and "--trust" in str(sizes.not_known(folder))
    path = tmp_path / f"{TSS}.pickle.pbz2"
    path.write_bytes(b"something")
    told = str(cells.not_known(path))
    assert "is truncated or changed: its md5 ends in " in told and "the official one in 3ffb9; fetch it again" in told
    monkeypatch.setitem(cells.RELEASES, "NATS-tss-v1_0", hashlib.md5(b"something").hexdigest()[-5:])
    told = str(cells.not_known(path))
    assert "is not known" in told and "5 digits are easily forged; import it with --trust" in told
    readers: list[Callable[[Path], object]] = [cells.not_known, cells.read_official, sizes.read_official]
    for read in readers:
        with pytest.raises(BenchmarkError, match=r"cannot be read \(No such file"):
            read(tmp_path / "NAS-Bench-201-v1_0-e61699.pth")


# What is something else


def one_line(error: pytest.ExceptionInfo[BenchmarkError]) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"state_dict": {}, "epoch": 3}, "has no 'meta_archs', it holds state_dict, epoch"),
        ({}, "it holds nothing"),
        ([1, 2], "holds a list, not a dictionary"),
        ({"meta_archs": {}, "arch2infos": {}}, "architectures are no list"),
        ({"meta_archs": [], "arch2infos": {}}, "has no record of an architecture"),
    ],
)
@pytest.mark.parametrize("name", [TORCH, f"{TSS}.pickle.pbz2"])
def test_files_of_something_else(name: str, content: Any, message: str, tmp_path: Path, nats: Any) -> None:
    path = tmp_path / name
    if name == TORCH:
        torch.save(content, path)
    else:
        dump(content, path)
    with pytest.raises(BenchmarkError, match=message) as raised:
        cells.read_official(path)
    assert "NAS-Bench-201" in one_line(raised)


def test_a_release_of_the_other_space(
    tmp_path: Path, sss: pd.DataFrame, cell_texts: list[str], size_records: dict[int, Any], cell_records: dict[int, Any]
) -> None:
    size = dump(release(sss["arch_str"].tolist(), size_records), tmp_path / f"{SSS}.pickle.pbz2")
    with pytest.raises(BenchmarkError, match=r"not a release of NAS-Bench-201.*architecture 0: '8:8:8:8:8'") as raised:
        cells.read_official(size)
    one_line(raised)
    topology = write_folder(tmp_path / f"{TSS}-simple", cell_texts, cell_records)
    with pytest.raises(BenchmarkError, match=r"not the size release of NATS-Bench.*architecture 0") as raised:
        sizes.read_official(topology)
    one_line(raised)
    for damaged in (tmp_path / TORCH, tmp_path):
        if damaged.name == TORCH:
            torch.save({}, damaged)
        with pytest.raises(BenchmarkError, match=r"not compressed with bz2|has no meta.pickle.pbz2") as raised:
            sizes.read_official(damaged)
        one_line(raised)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("kept", [0, 1, 500, 5_000, -10])
def test_truncated_torch_file(
    zipped: bool, kept: int, tmp_path: Path, cell_texts: list[str], torch_records: dict[int, Any]
) -> None:
    path = write_torch(tmp_path / TORCH, cell_texts, torch_records, zipped=zipped)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(BenchmarkError, match="is truncated or not a release of NAS-Bench-201") as raised:
        cells.read_official(path)
    one_line(raised)


@pytest.mark.parametrize("kept", [3, 100, -10])
def test_truncated_archive(kept: int, tmp_path: Path, cell_texts: list[str], cell_records: dict[int, Any]) -> None:
    folder = write_folder(tmp_path / f"{TSS}-simple", cell_texts, cell_records)
    record = folder / "000284.pickle.pbz2"
    record.write_bytes(record.read_bytes()[:kept])
    with pytest.raises(BenchmarkError, match=r"000284\.pickle\.pbz2 is truncated or no pickle") as raised:
        cells.read_official(folder)
    one_line(raised)


def missing_dataset(record: dict[str, Any]) -> None:
    del record["200"]["dataset_seed"]["cifar100"]


def missing_schedule(record: dict[str, Any]) -> None:
    del record["200"]


def missing_training(record: dict[str, Any]) -> None:
    del record["200"]["all_results"]["cifar10", 777]


def missing_epoch(record: dict[str, Any]) -> None:
    record["200"]["all_results"]["cifar10", 777]["eval_acc1es"] = {}


def no_seeds(record: dict[str, Any]) -> None:
    record["200"]["dataset_seed"]["cifar10"] = []


def impossible_accuracy(record: dict[str, Any]) -> None:
    record["200"]["all_results"]["cifar10", 777]["eval_acc1es"]["ori-test@199"] = float("nan")


def no_state(record: dict[str, Any]) -> None:
    record["200"] = 3


def of_another_architecture(record: dict[str, Any]) -> None:
    record["200"]["arch_index"] = 12


@pytest.mark.parametrize("kind", ["torch", "nats"])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (missing_dataset, "it lacks 'cifar100'"),
        (missing_schedule, "it lacks '(200|full)'"),
        (missing_training, r"it lacks .*cifar10.*777"),
        (missing_epoch, "it lacks 'ori-test@199'"),
        (no_seeds, ""),
        (impossible_accuracy, "the accuracy on cifar10 is nan"),
        (no_state, ""),
        (of_another_architecture, "it is that of architecture 12"),
    ],
)
def test_broken_records(
    kind: str, damage: Callable[[dict[str, Any]], None], message: str, tmp_path: Path, cell_texts: list[str],
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    records = request.getfixturevalue("torch_records" if kind == "torch" else "cell_records")
    for seed in SEEDS:
        records[11]["200"]["all_results"].setdefault(("cifar10", seed), {})
    damage(records[11])
    path = tmp_path / (TORCH if kind == "torch" else f"{TSS}-simple")
    if kind == "torch" and "200" not in records[11]:
        torch.save(release(cell_texts, {11: {"less": records[11]["12"]}}), path)
    else:
        (write_torch if kind == "torch" else write_folder)(path, cell_texts, records)
    with pytest.raises(BenchmarkError, match=f"the record of architecture 11 is broken: {message}") as raised:
        cells.read_official(path)
    one_line(raised)


def test_architectures_outside_the_space(tmp_path: Path, cell_texts: list[str], torch_records: dict[int, Any]) -> None:
    texts = [*cell_texts[:7], cell_texts[7].replace("nor_conv", "conv"), *cell_texts[8:]]
    assert texts != cell_texts
    with pytest.raises(BenchmarkError, match=r"architecture 7: .* is not a NAS-Bench-201 cell"):
        cells.read_official(write_torch(tmp_path / TORCH, texts, torch_records))
    with pytest.raises(BenchmarkError, match="the record of architecture 284 is broken: list index out of range"):
        cells.read_official(write_torch(tmp_path / TORCH, cell_texts[:100], {284: torch_records[284]}))


# More than plain data


def test_plain_containers_and_numbers_are_read() -> None:
    content: dict[str, Any] = {
        "text": ("é", None, True, 2**70, 0.5),
        "containers": [OrderedDict(a=1), {1, 2}, {"b": [3]}, defaultdict(list, b=[4])],
        "numpy": [np.float64(1.5), np.int64(2), np.float32(0.25), np.bool_(True)],
    }
    for protocol in (3, 4, 5):
        assert read_pickle(io.BytesIO(pickle.dumps(content, protocol=protocol))) == content
    array = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(read_pickle(io.BytesIO(pickle.dumps(array, protocol=4))), array)
    renamed = pickle.dumps(np.float64(1.5), protocol=3).replace(b"numpy._core.", b"numpy.core.")
    assert read_pickle(io.BytesIO(renamed)) == 1.5


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_that_calls_something_is_refused_and_calls_nothing(protocol: int, tmp_path: Path) -> None:
    made = tmp_path / "made"
    with pytest.raises(BenchmarkError, match=r"the pickle is refused: it names (posix|nt)\.mkdir") as raised:
        read_pickle(io.BytesIO(pickle.dumps([Attack(made)], protocol=protocol)))
    assert not made.exists()
    one_line(raised)


@pytest.mark.parametrize("call", [eval, getattr, __import__, np.load, pickle.loads, BenchmarkError])
def test_nothing_else_is_found(call: Any) -> None:
    with pytest.raises(BenchmarkError, match=rf"it names [\w.]*{call.__name__},"):
        read_pickle(io.BytesIO(pickle.dumps(call, protocol=4)))


@pytest.mark.parametrize(
    "content", [b"", b"\x80", b"not a pickle", pickle.dumps([1] * 99)[:50], b"\x80\x04h\x00.", b"N.N."]
)
def test_what_is_no_pickle(content: bytes) -> None:
    with pytest.raises(BenchmarkError, match="the pickle is truncated or no pickle") as raised:
        read_pickle(io.BytesIO(content))
    one_line(raised)


@pytest.mark.parametrize("place", ["torch", "torch-zip", "single", "meta", "record"])
def test_malicious_releases(
    place: str, tmp_path: Path, cell_texts: list[str], torch_records: dict[int, Any], nats: Any
) -> None:
    made = tmp_path / "made"
    attack = {**release(cell_texts, {}), "arch2infos": {0: Attack(made)}}
    if place.startswith("torch"):
        path = tmp_path / TORCH
        torch.save(attack, path, _use_new_zipfile_serialization=place == "torch-zip")
    elif place == "single":
        path = dump(attack, tmp_path / f"{TSS}.pickle.pbz2")
    else:
        path = write_folder(tmp_path / f"{TSS}-simple", cell_texts, {0: Attack(made)})
        if place == "meta":
            dump(attack, path / "meta.pickle.pbz2")
    with pytest.raises(BenchmarkError, match=r"is refused: it names (posix|nt)\.mkdir") as raised:
        cells.read_official(path)
    assert not made.exists()
    assert str(path) in one_line(raised)


class Tripwire:
    """A file that both packages would open as a pickle where a state is its name; the call in it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.made, self.names = folder / "made", [str(folder / "evil.pbz2"), str(folder / "evil")]
        (folder / "evil.pbz2").write_bytes(bz2.compress(pickle.dumps(Attack(self.made))))
        torch.save(Attack(self.made), folder / "evil")


@pytest.mark.parametrize("kind", ["torch", "nats", "nats-folder"])
@pytest.mark.parametrize("place", ["schedule", "record", "key"])
def test_a_text_in_place_of_a_state_is_not_opened(
    kind: str, place: str, tmp_path: Path, cell_texts: list[str], nats: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    tripwire = Tripwire(tmp_path)
    for name in tripwire.names:
        record: Any = dict.fromkeys(("12", "200", "less", "full"), name) if place == "schedule" else name
        records = {"0" if place == "key" else 0: record}
        path = tmp_path / (TORCH if kind == "torch" else f"{TSS}.pickle.pbz2")
        if kind == "torch":
            torch.save(release(cell_texts, records), path)
        elif kind == "nats":
            dump(release(cell_texts, records), path)
        else:
            path = write_folder(tmp_path / f"{TSS}-simple", cell_texts, {0: record})
        with pytest.raises(
            BenchmarkError, match=r"the record of architecture .* is broken: a str stands for"
        ) as raised:
            cells.read_official(path)
        one_line(raised)
        assert not tripwire.made.exists()


def test_a_state_overwrites_no_method(tmp_path: Path, cell_texts: list[str], cell_records: dict[int, Any]) -> None:
    for state in (cell_records[11]["200"], cell_records[11]["200"]["all_results"]["cifar10", 777]):
        state.update(query=3, get_metrics=[], get_eval="text", load_state_dict=None)
    frame = cells.read_official(write_folder(tmp_path / f"{TSS}-simple", cell_texts, cell_records))
    assert frame.index.tolist() == list(INDICES)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda state: state.update(all_results=[]), "a list stands for a dictionary"),
        (lambda state: state.update(dataset_seed={"cifar10": "777"}), "its seeds are no lists"),
        (lambda state: state.update(dataset_seed={7: [777]}), "its seeds are no lists"),
        (lambda state: state.update(arch_index="11"), "a str stands for a whole number"),
        (lambda state: state.update(arch_str=None), "a NoneType stands for text"),
        (lambda state: state["all_results"].update({"cifar10": {}}), "not named by dataset and seed"),
        (lambda state: state["all_results"].update({("cifar10", 777): "evil"}), "a str stands for a dictionary"),
        (lambda state: state["all_results"]["cifar10", 777].update(epochs=10**12), "it was trained for"),
        (lambda state: state["all_results"]["cifar10", 777].update(epochs="200"), "a str stands for a whole number"),
        (lambda state: state["all_results"]["cifar10", 777].update(params=10**400), "larger than a float"),
        (lambda state: state["all_results"]["cifar10", 777].update(flop=float("inf")), "a number is inf"),
        (lambda state: state["all_results"]["cifar10", 777]["eval_acc1es"].update({"ori-test@199": "91"}), ""),
        (lambda state: state["all_results"]["cifar10", 777]["eval_acc1es"].update({"ori-test@199": True}), ""),
        (lambda state: state["all_results"]["cifar10", 777]["eval_acc1es"].update({"ori-test@199": 10**600}), ""),
    ],
)
def test_states_of_other_shapes(
    damage: Callable[[dict[str, Any]], None], message: str, tmp_path: Path, cell_texts: list[str],
    cell_records: dict[int, Any],
) -> None:  # fmt: skip
    damage(cell_records[11]["200"])
    cell_records[11]["200"]["dataset_seed"].setdefault("cifar10", [777])
    path = write_folder(tmp_path / f"{TSS}-simple", cell_texts, {11: cell_records[11]})
    with pytest.raises(BenchmarkError, match=f"architecture 11 is broken: .*{message}") as raised:
        cells.read_official(path)
    assert len(one_line(raised)) < 500


def test_releases_that_unpack_to_too_much(tmp_path: Path, cell_texts: list[str], nats: Any) -> None:
    folder = write_folder(tmp_path / f"{TSS}-simple", cell_texts, {})
    (folder / "000000.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps(bytes(2**26), 4)))
    os.mkfifo(folder / "000001.pickle.pbz2")
    with pytest.raises(BenchmarkError, match=r"000000.pickle.pbz2 is refused: it holds more than 67 MB once unpacked"):
        cells.read_official(folder)


def test_forged_digits_are_not_taken_for_the_release(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZCPROXY_DATA", str(tmp_path / "data"))
    path = dump({"meta_archs": [], "arch2infos": {0: Attack(tmp_path / "made")}}, tmp_path / f"{TSS}.pickle.pbz2")
    forged = path.read_bytes() + b"appended"
    path.write_bytes(forged)
    monkeypatch.setitem(cells.RELEASES, "NATS-tss-v1_0", hashlib.md5(forged).hexdigest()[-5:])
    code, _, error = run("benchmark", "import", "nasbench201", path.name)
    assert (code, "easily forged; import it with --trust" in error) == (2, True), error
    code, _, error = run("benchmark", "import", "nasbench201", path.name, "--trust")
    assert code == 2 and "Traceback" not in error
    assert not (tmp_path / "made").exists() and not (tmp_path / "data").exists()


def test_without_nats_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nats_bench.api_utils", None)
    for module in (cells, sizes):
        with pytest.raises(BenchmarkError, match=r"pip install 'zcproxy\[nats\]'") as raised:
            module.read_official(tmp_path)
        one_line(raised)


# The command


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
