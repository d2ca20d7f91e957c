"""Hostile files given to `benchmark import`: one line, exit 2, and what was imported before stays."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from zcproxy.benchmarks.nasbench201 import NASBench201Space
from zcproxy.benchmarks.nasbench201.labels import COLUMNS
from zcproxy.benchmarks.once_for_all.latency import DEVICES
from zcproxy.benchmarks.shared.imported import imported_path, manifest_path, read_manifest, write_imported
from zcproxy.errors import BenchmarkError
from zcproxy.names.tasks import get_task
from zcproxy.reading.npz import read_npz

Command = Callable[..., tuple[int, str, str]]
CELLS = ["64-4111-basic", "64-2311-basic", "64-1234-basic"]
DARTS_CELL = [["skip_connect", 0], ["skip_connect", 1]] * 4
ENTRY: dict[str, Any] = {
    "net": {
        "genotype": {
            "normal": DARTS_CELL, "normal_concat": [2, 3, 4, 5], "reduce": DARTS_CELL, "reduce_concat": [2, 3, 4, 5]
        },
        "width": 16,
        "depth": 8,
    },
    "params": 10, "flops": 10, "test_ep_top1": [30.0],
}  # fmt: skip


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZCPROXY_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def refused(found: tuple[int, str, str]) -> str:
    """Return the line of an import that failed."""
    code, _, error = found
    lines = [line for line in error.splitlines() if line.startswith("zcproxy: ")]
    assert (code, len(lines)) == (2, 1), error
    assert "Traceback" not in error and len(lines[0]) < 500, lines
    return lines[0]


def snapshot(directory: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def table(**changed: Any) -> pd.DataFrame:
    """A table of four cells as the official one has them, with some columns changed."""
    rng = random.Random(0)
    space = NASBench201Space()
    frame = pd.DataFrame({"arch": [space.sample(rng) for _ in range(4)]})
    for number, column in enumerate(COLUMNS):
        frame[column] = np.arange(4.0) + 10 * (number % 5) + 10
    return frame.assign(**{name.replace("__", "/"): value for name, value in changed.items()})


def as_parquet(path: Path, frame: pd.DataFrame) -> Path:
    frame.to_parquet(path)
    return path


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({}, "it has no networks"),
        ({"arch": [1, 2, 3, 4]}, "the column 'arch' holds int64"),
        ({"arch": [None, "b", "c", "d"]}, "a text in 'arch' is missing or occurs twice"),
        ({"arch": [b"a", b"b", b"c", b"d"]}, "the column 'arch' holds dictionary<values=binary"),
        ({"arch": ["", "b", "c", "d"]}, "an architecture in 'arch' is not text"),
        ({"arch": ["a"] * 4}, "a text in 'arch' is missing or occurs twice"),
        ({"arch": ["a", "b", "c", "d"]}, "'a' is not a NAS-Bench-201 cell"),
        ({"arch": [" |none~0|+|none~0|none~1|+|none~0|none~1|none~2|", *table()["arch"][1:]]}, "its space writes"),
        ({"cifar10__test_200": 50.0}, "is 50 for all networks"),
        ({"cifar10__test_200": [True, False, True, False]}, "holds bool"),
        ({"cifar10__test_200": ["1", "2", "3", "4"]}, "holds large_string"),
        ({"cifar10__test_200": [[1.0], [2.0], [3.0], [4.0]]}, "holds list"),
        ({"cifar10__test_200": [1, 2, 3, np.inf]}, "is infinite or missing"),
        ({"cifar100__test_200": [1, 2, 3, np.nan]}, "is infinite or missing"),
        ({"cifar100__test_200": np.nan}, "is infinite or missing"),
        ({"imagenet16__test_200": [1, 2, 3, 100.5]}, "has 100.5, more than 100 %"),
        ({"imagenet16__test_200": [1, 2, 3, -1e-9]}, "less than 0"),
        ({"imagenet16__test_200": [1, 2, 3, 1e300]}, "more than 100 %"),
        ({"params_cifar10": [1, 2, 3, -1]}, "has -1, less than 0"),
        ({"params_cifar10": [1, 2, 3, np.inf]}, "is infinite or missing"),
        ({"cifar10__test_200_trial0": [1, 2, 3, 101]}, "more than 100 %"),
    ],
)
def test_tables_that_replace_nothing(
    run: Command, directory: Path, tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    place = tmp_path / "nasbench201.parquet"
    as_parquet(place, table())
    assert run("benchmark", "import", "nasbench201", place.name, "--trust")[0] == 0
    before = snapshot(directory)
    as_parquet(place, table(**changed) if changed else table()[:0])
    assert message in refused(run("benchmark", "import", "nasbench201", place.name, "--trust"))
    assert snapshot(directory) == before
    assert len(get_task("nasbench201/cifar10").architectures("all")) == 4


def test_a_table_without_networks_replaces_nothing(run: Command, directory: Path, tmp_path: Path) -> None:
    head = "arch_str,search_space,test_top1\n"
    place = tmp_path / "transbench101_jigsaw.csv"
    rows = "".join(f"{cell},macro,{50 + number}\n" for number, cell in enumerate(CELLS))
    place.write_text(head + rows)
    assert "micro-jigsaw" in refused(run("benchmark", "import", "transnas101", place.name, "--trust"))  # macro is there
    before = snapshot(directory)
    big = "1" + "0" * 400
    for text in (head, head + f"{CELLS[0]},macro,{big}\n", head + "".join(f"{cell},macro,7\n" for cell in CELLS)):
        place.write_text(text)
        refused(run("benchmark", "import", "transnas101", place.name, "--trust"))
        assert snapshot(directory) == before
    assert get_task("transnas101/macro-jigsaw").labels(CELLS).tolist() == [50, 51, 52]


def test_a_flipped_bit_of_an_imported_table_is_never_used(run: Command, directory: Path, tmp_path: Path) -> None:
    as_parquet(tmp_path / "nasbench201.parquet", table())
    run("benchmark", "import", "nasbench201", "nasbench201.parquet", "--trust")
    place = imported_path("nasbench201", "labels")
    whole, rng = place.read_bytes(), random.Random(19)
    task = get_task("nasbench201/cifar10")
    for turn in range(40):
        changed = bytearray(whole)
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        place.write_bytes(changed)
        os.utime(place, ns=(turn, turn))
        with pytest.raises(BenchmarkError, match=r"labels.parquet is truncated or changed: .*; import it again"):
            task.architectures("all")
    assert "import it again" in refused(run("benchmark", "verify", "nasbench201"))


@pytest.mark.parametrize(
    "text", ["5", "[]", "{}", "", "[" * 100_000, '{"format": "1", "sha256": 5, "source": []}', "\xff"]
)
def test_manifests_of_any_shape(run: Command, directory: Path, tmp_path: Path, text: str) -> None:
    as_parquet(tmp_path / "nasbench201.parquet", table())
    run("benchmark", "import", "nasbench201", "nasbench201.parquet", "--trust")
    manifest_path(imported_path("nasbench201", "labels")).write_text(text, encoding="latin1")
    assert "is not a manifest of an imported table" in refused(run("benchmark", "verify", "nasbench201"))
    assert run("benchmark", "list", "nasbench201")[0] == 0


@pytest.mark.parametrize("label", [50.0, [True, False, True, True]])
def test_tables_of_older_versions_are_checked_when_they_are_read(run: Command, directory: Path, label: Any) -> None:
    frame = table(cifar10__test_200=label)
    write_imported(imported_path("nasbench201", "labels"), frame, {"source": {"labels.parquet": ""}})
    assert read_manifest(imported_path("nasbench201", "labels"))["rows"] == 4
    for words in (
        ("benchmark", "verify", "nasbench201"),
        ("score", "params", "nasbench201/cifar10", "--networks", "4"),
    ):
        line = refused(run(*words))
        assert any(f"labels.parquet {refusal}" in line for refusal in ("is not", "cannot be used")) and "import" in line


# Packed files


def archive(path: Path, content: bytes, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as packed:
        packed.writestr("DARTS_in.json", content)
    return path


def test_bombs_are_refused_before_they_are_unpacked(run: Command, directory: Path, tmp_path: Path) -> None:
    zeros = bytes(70_000_000)
    archive(tmp_path / "bomb.zip", zeros)
    (tmp_path / "DARTS_in.json.gz").write_bytes(gzip.compress(zeros, 1))
    for words in (("bomb.zip",), ("DARTS_in.json.gz",), ("bomb.zip", "--trust"), ("DARTS_in.json.gz", "--trust")):
        assert "holds more than 67 MB once unpacked" in refused(run("benchmark", "import", "nds", *words))


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_other_methods_and_encryption(run: Command, directory: Path, tmp_path: Path, method: int) -> None:
    archive(tmp_path / "data.zip", json.dumps([ENTRY]).encode(), method)
    message = "DARTS_in.json in data.zip is encrypted or packed by another method than deflate"
    assert message in refused(run("benchmark", "import", "nds", "data.zip", "--trust"))
    whole = bytearray(archive(tmp_path / "data.zip", json.dumps([ENTRY]).encode()).read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        whole[whole.index(signature) + flags] |= 1
    (tmp_path / "data.zip").write_bytes(whole)
    assert message in refused(run("benchmark", "import", "nds", "data.zip", "--trust"))


def test_damaged_archives(run: Command, directory: Path, tmp_path: Path) -> None:
    rng = random.Random(19)
    entries = [{**ENTRY, "test_ep_top1": [rng.random()]} for _ in range(30)]
    kinds = {
        "data.zip": archive(tmp_path / "data.zip", json.dumps(entries).encode()).read_bytes(),
        "DARTS_in.json.gz": gzip.compress(json.dumps(entries).encode()),
    }
    for turn in range(60):
        name = rng.choice(list(kinds))
        changed = bytearray(kinds[name])
        for _ in range(rng.choice((1, 3, 20))):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        (tmp_path / name).write_bytes(changed[: len(changed) if turn % 3 else rng.randrange(len(changed))])
        code, _, error = run("benchmark", "import", "nds", name, "--trust")
        assert code in (0, 2) and "Traceback" not in error
        if code:
            refused((code, "", error))


# Values


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"top": 5, "mid": 5}',
        '{"top": [], "mid": {"a": 1}}',
        "[" + "1" * 5000 + "]",
        "[5, null, [], {}]",
        *(
            json.dumps([{**ENTRY, name: value}])
            for name in ("params", "flops", "test_ep_top1", "net")
            for value in (10**400, "text", None, [], {}, True, float("inf"), [10**400], [[]], [float("nan")], -5, [-5])
        ),
        *(
            json.dumps([{**ENTRY, "net": {**ENTRY["net"], name: value}}])
            for name in ("width", "depth", "genotype")
            for value in (
                float("inf"),
                10**400,
                10**9,
                "16",
                "\u00b2",
                None,
                [],
                {"normal": 5},
                {"normal": [[]]},
                True,
                16.5,
            )
        ),
    ],
)
def test_json_of_nds_in_odd_shapes(run: Command, directory: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "DARTS_in.json").write_text(text)
    refused(run("benchmark", "import", "nds", "DARTS_in.json", "--trust"))
    assert not directory.exists()


def test_chains_of_nds_in_odd_shapes(run: Command, directory: Path, tmp_path: Path) -> None:
    net = {"block_type": "res_bottleneck_block", "ds": [1, 1], "ws": [16, 16], "ss": [4, 1]}
    net |= {"bot_muls": [1.0, 1.0], "num_gs": [1, 1]}
    odd = (
        float("inf"),
        10**400,
        [float("inf")] * 2,
        [10**400] * 2,
        [10**9] * 2,
        ["1"] * 2,
        [[]] * 2,
        [True] * 2,
        "\u00b2\u00b2",
        5,
        {},
    )
    entries = [
        {**ENTRY, "net": {**net, name: value}} for name in net for value in odd if value != {} or "_" not in name
    ]
    (tmp_path / "ResNeXt-A.json").write_text(json.dumps(entries))
    refused(run("benchmark", "import", "nds", "ResNeXt-A.json", "--trust"))


@pytest.mark.parametrize(
    "setting",
    [
        "5",
        "b'x'",
        "{[]: 1}",
        "-" * 5000 + "1",
        "-" * 500_000 + "1",
        "(" * 5000,
        "{}",
        "[]",
        "__import__('os')",
        "1_0j",
        "'\\d'",
    ]
    + [f"{{'ks': {value}, 'e': [3] * 20, 'd': [2] * 5}}" for value in ("[1e999] * 20", "5", "None", "{}", "[[]]")]
    + [
        f"{{'ks': {[3] * 20}, 'e': {[3] * 20}, 'd': {value}}}"
        for value in ("[1e400]", "[-1]", "[10**9]", f"[{10**400}]", "[2.5]")
    ],
)
def test_settings_of_once_for_all(run: Command, directory: Path, tmp_path: Path, setting: str) -> None:
    head = "Sub-network,Date,Model Parameters,Latency (ms),MACs,Top-1 Acc (%)\n"
    for name in ("mbnv3w10_evonsga2_acc_macs.csv", "mbnv3w10_linasnsga2_acc_macs.csv"):
        (tmp_path / name).write_text(head + f'"{setting}",0,5,0,5,70\n')
    assert "it has no networks" in refused(run("benchmark", "import", "ofa_mobilenetv3", ".", "--trust"))


@pytest.mark.parametrize(
    "numbers", ["inf,0,5,70", "5,0,inf,70", "5,0,5,inf", "5,0,5,text", "5,0,5,True", "5,0,5,", f"5,0,5,{10**400}"]
)
def test_numbers_of_once_for_all(run: Command, directory: Path, tmp_path: Path, numbers: str) -> None:
    setting = {"ks": [3] * 20, "e": [3] * 20, "d": [2] * 5}
    for name in ("mbnv3w10_evonsga2_acc_macs.csv", "mbnv3w10_linasnsga2_acc_macs.csv"):
        head = "Sub-network,Date,Model Parameters,Latency (ms),MACs,Top-1 Acc (%)\n"
        (tmp_path / name).write_text(head + f'"{setting}",0,{numbers}\n')
    assert "it has no networks" in refused(run("benchmark", "import", "ofa_mobilenetv3", ".", "--trust"))


@pytest.mark.parametrize("resolution", [float("inf"), 10**400, -1, 0, True, "224", None, [], 10**9, 224.5])
def test_settings_of_latencies(run: Command, directory: Path, tmp_path: Path, resolution: Any) -> None:
    setting = {"ks": [3] * 20, "e": [3] * 20, "d": [2] * 5, "r": resolution}
    (tmp_path / "ofa_archs.json").write_text(json.dumps({"arch": [setting]}))
    np.savez(tmp_path / "ofa_latency.npz", **{device: np.ones(1) for device in DEVICES})
    assert "are not latencies of" in refused(run("benchmark", "import", "ofa_mobilenetv3", ".", "--trust"))


def npz(header: bytes, data: bytes = b"") -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("x.npy", b"\x93NUMPY\x01\0" + len(header).to_bytes(2, "little") + header + data)
    return file


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"{",
        b"(" * 3000,
        b"-" * 3000 + b"1",
        b"\xff",
        b"{[]: 1}",
        b"{'descr': '<f8'}",
        b"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
        b"{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': 1}",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (0, 10000000000000000000000)}",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}",
    ],
)
def test_headers_of_arrays(header: bytes) -> None:
    with pytest.raises(BenchmarkError, match="is not an array of plain numbers"):
        read_npz(npz(header), ["x"], "the file")


def test_arrays_are_those_that_numpy_wrote(tmp_path: Path) -> None:
    arrays = {
        "a": np.arange(6.0).reshape(2, 3),
        "b": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "c": np.ones(2, ">f4"),
    }
    np.savez_compressed(tmp_path / "x.npz", **arrays)
    found = read_npz(tmp_path / "x.npz", list(arrays), "x.npz")
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype


# Files that are none, and folders that may not be read


@pytest.mark.parametrize("benchmark", ["nds", "nasbench201", "nats_sss", "transnas101", "ofa_mobilenetv3"])
@pytest.mark.parametrize("name", ["DARTS_in.json", "data.zip", "NATS-tss-v1_0-3ffb9.pickle.pbz2", "x.pth"])
def test_pipes_and_devices_are_not_read(
    run: Command, directory: Path, tmp_path: Path, benchmark: str, name: str
) -> None:
    os.mkfifo(tmp_path / name)
    assert "is not a regular file" in refused(run("benchmark", "import", benchmark, name, "--trust"))
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to("/dev/zero")
    assert "is not a regular file" in refused(run("benchmark", "import", benchmark, name, "--trust"))
    refused(run("benchmark", "import", benchmark, ".", "--trust"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_data_directory_that_may_not_be_read(run: Command, directory: Path, tmp_path: Path) -> None:
    directory.mkdir(mode=0)
    code, out, _ = run("benchmark", "list")
    assert code == 0 and "which may not be read" in out
    assert "may not be read" in refused(run("score", "params", "nds/darts-imagenet"))
    run("benchmark", "verify")
