"""Look-up tables: those of NAS-Bench-201, and a user's own."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_tables import drawn_networks, made_table
from scipy.stats import kendalltau
from sklearn.linear_model import RidgeCV

from zcproxy.benchmarks.nasbench201 import NASBench201Space
from zcproxy.benchmarks.nasbench201.labels import TABLE
from zcproxy.benchmarks.nasbench201.measurements import HELP, HW_NAS_BENCH
from zcproxy.benchmarks.once_for_all import MobileNetV3Space, latency
from zcproxy.benchmarks.shared.imported import imported_path, write_imported
from zcproxy.contracts.measurements import Measurements
from zcproxy.errors import BenchmarkError, StorageError
from zcproxy.names.tasks import get_task
from zcproxy.search import SearchConfiguration, Setting, parse_limit, search
from zcproxy.search.quantities.lookup import LARGEST_TABLE, published_look_up, read_look_up

from .conftest import Tiny


@pytest.fixture
def measured_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers of all cells on CIFAR-10, made up: all rise with the convolutions, each by a draw of its own."""
    monkeypatch.setenv("ZCPROXY_DATA", str(tmp_path / "data"))
    cells, rng = list(NASBench201Space().enumerate()), np.random.default_rng(0)
    convolutions = np.array([cell.count("nor_conv") for cell in cells])
    quantities = [
        "cifar10/val_200",
        "cifar10/val_12",
        *(f"hwnb_cifar10_{device}_latency_ms" for device in HW_NAS_BENCH["latency_ms"]),
    ]
    quantities += [f"hwnb_cifar10_{device}_energy_mJ" for device in HW_NAS_BENCH["energy_mJ"]]
    quantities += [f"help_{device}_latency_ms" for device in HELP]
    numbers = {name: 80.0 + 2.0 * convolutions + rng.uniform(size=len(cells)) for name in quantities}
    frame = pd.DataFrame({"arch": cells, **numbers})
    write_imported(imported_path("nasbench201", "measurements"), frame, {"source": {"made": ""}})
    labels = made_table(TABLE, NASBench201Space(), 50)
    write_imported(imported_path("nasbench201", "labels"), labels, {"source": {"made": ""}})


@pytest.fixture
def measured_sub_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Latencies of a few sub-networks, made up: a millisecond a block."""
    monkeypatch.setenv("ZCPROXY_DATA", str(tmp_path / "data"))
    texts = drawn_networks(MobileNetV3Space(), 600)
    blocks = np.array([len(re.split("[./]", text)) for text in texts], np.float64)
    frame = pd.DataFrame({"arch": [f"{text}@224" for text in texts], **dict.fromkeys(latency.DEVICES, blocks)})
    write_imported(imported_path("ofa_mobilenetv3", "latencies"), frame, {"source": {"made": ""}})
    latency._model.cache_clear()
    yield
    latency._model.cache_clear()


def published(task: str) -> Measurements:
    found = published_look_up(get_task(task))
    assert found is not None
    return found


@pytest.mark.parametrize("dataset", ["cifar10", "cifar100", "imagenet16-120"])
def test_the_published_table_has_all_devices(real_data: Path, dataset: str) -> None:
    table, cells = published(f"nasbench201/{dataset}"), get_task(f"nasbench201/{dataset}").architectures("all")
    names = {f"latency_ms:{device}" for device in HW_NAS_BENCH["latency_ms"]}
    names |= {f"energy_mj:{device}" for device in HW_NAS_BENCH["energy_mJ"]} | {
        "validation_accuracy",
        "validation_accuracy_12",
    }
    names |= {f"latency_ms:{device}" for device in HELP} if dataset == "cifar10" else set()
    assert set(table._names) == names
    assert all(np.nanmin(table.values(name, cells)) > 0 for name in names)


def test_the_numbers_are_those_of_the_file(real_data: Path) -> None:
    frame = pd.read_parquet(real_data / "nasbench201" / "nasbench201.parquet")
    table, names = published("nasbench201/cifar100"), frame["arch"].tolist()
    assert np.array_equal(table.values("energy_mj:fpga", names), frame["hwnb_cifar100_fpga_energy_mJ"].to_numpy())
    assert np.isnan(table.values("energy_mj:fpga", ["unknown"])).all()


def test_a_device_that_is_not_there_is_answered_with_the_nearest(measured_cells: None) -> None:
    with pytest.raises(BenchmarkError, match=r"has no 'latency_ms:pixel4' \(did you mean latency_ms:pixel3"):
        published("nasbench201/cifar10").check("latency_ms:pixel4")


def test_the_front_of_accuracy_and_latency_is_searched(measured_cells: None, tmp_path: Path) -> None:
    configuration = SearchConfiguration(
        Setting("nasbench201/cifar10"),
        ("validation_accuracy",),
        ("latency_ms:raspi4",),
        (parse_limit("macs=100M"),),
        evaluations=200,
        population=20,
    )
    result = search(configuration, tmp_path / "run")
    assert list(result.table) == ["arch", "validation_accuracy", "latency_ms:raspi4", "macs", "seconds"]
    assert (result.front["macs"] <= 1e8).all()
    assert len(result.front) >= 5
    assert result.front["validation_accuracy"].max() > 88.0


def test_a_table_of_ones_own(tmp_path: Path, tiny: Tiny) -> None:
    names = ["first=2 second=2 kernel=1", "first=3 second=4 kernel=3"]
    pd.DataFrame({"arch": names, "milliwatts": [3.5, 4.0], "note": ["a", "b"]}).to_csv(
        tmp_path / "own.csv", index=False
    )
    table = read_look_up(tmp_path / "own.csv", tiny)
    assert table.values("milliwatts", [names[1], "first=2 second=3 kernel=1"])[0] == 4.0
    with pytest.raises(BenchmarkError, match="has no 'watts'"):
        table.check("watts")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "needs a column 'arch'"),
        ("arch,x\nnowhere,1\n", "is not an architecture of tiny"),
        ("", "cannot read"),
        ("arch,x\nfirst=2 second=2 kernel=1,1\nfirst=2 second=2 kernel=1,2\n", "in line 2 and in line 3: keep one"),
        ("arch,x\nfirst=2 second=2 kernel=1,1\nfirst=2 second=2  kernel=1,2\n", "line"),
        ("arch,macs\nfirst=2 second=2 kernel=1,1\n", "a column 'macs', which is measured.*rename it.*'macs:table'"),
        ("arch,latency_ms\nfirst=2 second=2 kernel=1,1\n", "a column 'latency_ms', which is measured"),
        (
            "arch,x\nfirst=2 second=2 kernel=1,1\nfirst=2 second=3 kernel=1,oops\nfirst=2 second=4 kernel=1,3\n",
            "has 'oops' under 'x' in line 3: no number",
        ),
        ("arch,x\nfirst=2 second=2 kernel=1,1\nfirst=2 second=3 kernel=1,inf\n", "has 'inf' under 'x' in line 3"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, tiny: Tiny, text: str, message: str) -> None:
    (tmp_path / "own.csv").write_text(text)
    with pytest.raises(BenchmarkError, match=message) as raised:
        read_look_up(tmp_path / "own.csv", tiny)
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 500


def test_an_empty_cell_is_an_unknown_number(tmp_path: Path, tiny: Tiny) -> None:
    names = ["first=2 second=2 kernel=1", "first=3 second=4 kernel=3"]
    (tmp_path / "own.csv").write_text(f"arch,watts\n{names[0]},\n{names[1]},2\n")
    assert np.isnan(read_look_up(tmp_path / "own.csv", tiny).values("watts", names)).tolist() == [True, False]


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and devices are files of POSIX systems")
def test_a_table_that_is_no_regular_file_or_huge_is_refused(tmp_path: Path, tiny: Tiny) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    os.symlink("/dev/zero", tmp_path / "zero.csv")
    (tmp_path / "folder.parquet").mkdir()
    with (tmp_path / "huge.csv").open("wb") as file:
        file.truncate(LARGEST_TABLE + 1)
    for name, part in (
        ("pipe.csv", "regular"),
        ("zero.csv", "regular"),
        ("folder.parquet", "regular"),
        ("huge.csv", "MB"),
    ):
        with pytest.raises(StorageError, match=part):
            read_look_up(tmp_path / name, tiny)


def test_latencies_of_once_for_all_are_predicted_from_measured_ones(real_data: Path) -> None:
    texts, resolutions, latencies = latency.measured()
    assert len(texts) == 5000
    known, unknown = np.arange(4000), np.arange(4000, 5000)
    inputs = latency.features(texts, resolutions)
    for device, tau, error in (("v100_64", 0.94, 0.03), ("titan_xp_32", 0.9, 0.05), ("v100_1", 0.7, 0.06)):
        model = RidgeCV(latency.PENALTIES).fit(inputs[known], latencies[device][known])
        predicted, true = model.predict(inputs[unknown]), latencies[device][unknown]
        assert kendalltau(predicted, true).statistic > tau
        assert np.abs(predicted / true - 1).mean() < error


def test_once_for_all_is_searched_for_latency(measured_sub_networks: None, tmp_path: Path) -> None:
    setting = Setting("ofa_mobilenetv3", input_shape=(3, 96, 96), formula="total_params")
    configuration = SearchConfiguration(setting, ("proxy",), ("latency_ms:v100_64",), evaluations=12, population=6)
    table = search(configuration, tmp_path / "run").table
    blocks = table["arch"].str.count("[./]") + 1
    assert blocks.nunique() > 1
    assert np.allclose(table["latency_ms:v100_64"], blocks, atol=1.0)
    with pytest.raises(
        BenchmarkError, match=r"ofa_mobilenetv3 has no 'latency_ms:v100' \(did you mean latency_ms:v100_"
    ):
        search(replace(configuration, minimized=("latency_ms:v100",)), tmp_path / "other")
