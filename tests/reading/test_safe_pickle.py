"""Pickles of others: plain data is read, everything else is one line, and no bytes end the process."""

from __future__ import annotations

import io
import os
import pickle
import pickletools
import random
import zipfile
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from zcproxy.benchmarks.datasets import load_dataset
from zcproxy.errors import BenchmarkError, StorageError
from zcproxy.reading.safe_pickle import load_torch, read_pickle


def named(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def refused(content: bytes) -> str:
    with pytest.raises(BenchmarkError) as raised:
        read_pickle(io.BytesIO(content))
    message = str(raised.value)
    assert "\n" not in message and len(message) < 500
    return message


# The flag "holds objects" of a type is cleared by its state: eight bytes would be taken for an object.
STATE = pickle.dumps((3, "|", None, None, None, 8, 8, 0), 2)[2:-1]
OBJECTS = named("numpy", "dtype") + b"(X\x01\0\0\0O\x89\x88tR" + STATE + b"b"
FLOATS = named("numpy", "dtype") + b"(X\x02\0\0\0f8\x89\x88tR"
SCALAR = named("numpy._core.multiarray", "scalar")
ARRAY = named("numpy._core.multiarray", "_reconstruct") + b"(" + named("numpy", "ndarray") + b"K\0\x85C\x01btR"
FUNCTION = named("builtins", "set")


@pytest.mark.parametrize("numpy_1", [False, True])
@pytest.mark.parametrize(
    "content",
    [
        SCALAR + b"(" + OBJECTS + b"C\x08AAAAAAAAtR.",
        SCALAR + b"(" + OBJECTS + b"]tR.",
        ARRAY + b"(K\x01K\x01\x85" + OBJECTS + b"\x89C\x08AAAAAAAAtb.",
        ARRAY + b"(K\x01K\x01\x85" + OBJECTS + b"\x89]tb.",
        ARRAY + b"(K\x01K\x01\x85" + FLOATS + b"\x89]tb.",
        ARRAY + b"(K\x01(J\xff\xff\xff\x7fJ\xff\xff\xff\x7ft" + FLOATS + b"\x89C\x08AAAAAAAAtb.",
        ARRAY + b"(K\x01J\xff\xff\xff\xff\x85" + FLOATS + b"\x89C\x08AAAAAAAAtb.",
        SCALAR + b"(" + FLOATS + b"C\x04AAAAtR.",
        SCALAR + b"(" + FLOATS + b"(K\x03X\x01\0\0\0|NX\x01\0\0\0aNK\x08K\x08K\0tb" + b"C\x08AAAAAAAAtR.",
        SCALAR + b"(" + FLOATS + b"X\x08\0\0\0not plainb" + b"C\x08AAAAAAAAtR.",
        named("numpy", "dtype") + b"(](X\x01\0\0\0aX\x01\0\0\0Ote\x89\x88tR.",
        named("numpy", "dtype") + b"(X\x06\0\0\0V8,f8,\x89\x88tR.",
        named("numpy", "dtype") + b"(X\x05\0\0\0M8[s]\x89\x88tR.",
        named("numpy", "ndarray") + b"(K\x01\x85tR.",
        named("numpy", "ndarray") + b")\x81.",
    ],
)
def test_states_and_types_of_numpy_that_are_not_plain(content: bytes, numpy_1: bool) -> None:
    refused(b"\x80\x02" + (content.replace(b"numpy._core", b"numpy.core") if numpy_1 else content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (FUNCTION + b"}X\x08\0\0\0__code__Nsb.", "it gives a state to"),
        (FUNCTION + b"N}X\x0c\0\0\0__defaults__)s\x86b.", "it gives a state to"),
        (b"}}X\x05\0\0\0itemsNsb.", "it gives a state to a dict"),
        (
            named("collections", "OrderedDict") + b")R}X\x05\0\0\0items" + FUNCTION + b"sb.",
            "it gives a state to a dict",
        ),
        (FUNCTION + b")\x81.", "no instruction"),
        (FUNCTION + b"(]}\x92.", "no instruction"),
        (b"(iposix\nsystem\n.", "no instruction"),
        (b"(" + FUNCTION + b"o.", "no instruction"),
        (b"\x82\x01.", "no instruction"),
        (b"\x83\x01\0.", "no instruction"),
        (b"\x84\x01\0\0\0.", "no instruction"),
        (b"Pname\n.", "no instruction"),
        (b"NQ.", "no instruction"),
        (b"\x97.", "no instruction"),
        (b"S'text'\n.", "no instruction"),
        (b"K\x01)R.", "calls something that is not a function"),
        (FUNCTION + b"]R.", "calls something that is not a function"),
        (named("collections", "defaultdict") + named("os", "system") + b"\x85R.", "it names os.system"),
        (b"\x8c\x08builtins\x8c\x08__dict__\x93.", "it names builtins.__dict__"),
        (b"\x8c\x02os\x8c\x0epath.os.system\x93.", "it names os.path.os.system"),
        (b"NN\x93.", "a name is not text"),
        (
            named("copyreg", "add_extension") + b"(X\x02\0\0\0osX\x06\0\0\0systemK\x01tR.",
            "it names copyreg.add_extension",
        ),
        (named("functools", "partial") + b")R.", "it names functools.partial"),
        (b"}]Ns.", "a list is a key"),
        (b"K\x01(K\x02K\x03u.", "items go to a int"),
        (b"}(K\x02u.", "a key has no value"),
        (b"NK\x01a.", "items go to a NoneType"),
        (b"e.", "truncated or not a pickle"),
        (b"\x86.", "made of more than there is"),
        (b"NN.", "it ends in the middle"),
        (b"h\x05.", "truncated or not a pickle"),
        (b"g" + b"9" * 5000 + b"\n.", "truncated or not a pickle"),
        (b"L" + b"9" * 5000 + b"L\n.", "truncated or not a pickle"),
        (b"c" + b"a" * 3000 + b"\nb\n.", "it names aaa"),
        (b"X\x02\0\0\0\xff\xff.", "truncated or not a pickle"),
        (b"X\x03\0\0\0\xed\xa0\x80.", "truncated or not a pickle"),
    ],
)
def test_instructions_that_plain_data_does_not_need(content: bytes, message: str) -> None:
    assert message in refused(b"\x80\x02" + content)


@pytest.mark.parametrize(
    "content",
    [
        b"r\xff\xff\xff\x7f",  # a place in the memo that a list of it would not hold
        b"\x95\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x96\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"B\xff\xff\xff\xff",
        b"\x8b\xff\xff\xff\x7f",
    ],
)
def test_lengths_that_are_not_there_take_no_memory(content: bytes) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(b"\x80\x04" + content)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes


def test_nested_tuples_are_read_and_never_hashed() -> None:
    nested = b")" + b"\x85" * 100_000
    assert len(read_pickle(io.BytesIO(b"\x80\x02" + nested + b"."))) == 1
    for content in (b"}" + nested + b"Ns.", b"(" + nested + b"\x91."):
        assert "is a key or a member of a set" in refused(b"\x80\x04" + content)  # hashing it ends the process


def test_containers_in_proportion_to_the_file() -> None:
    assert "more containers" in refused(b"\x80\x02]" + b"(" + b"}" * 1_300_000 + b"e.")


def content() -> dict[str, Any]:
    return {
        "text": ("é", None, True, 2**70, -0.5),
        "containers": [OrderedDict(a=1), {1, 2}, {"b": [3]}, defaultdict(list, b=[4]), frozenset([3]), b"bytes" * 99],
        "numpy": [np.float64(1.5), np.int64(2), np.float32(0.25), np.bool_(True), np.complex128(2j), np.str_("x")],
    }


@pytest.mark.parametrize("protocol", range(5))
@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.arange(3, dtype=">i4"),
        np.zeros((0, 4), np.float32),
        np.array(["a", "bcd"]),
        np.array([b"x", b"yz"]),
        np.array(7, np.uint8),
    ],
    ids=str,
)
def test_arrays_are_the_same_in_every_protocol(array: np.ndarray, protocol: int) -> None:
    found = read_pickle(io.BytesIO(pickle.dumps({"first": array, "again": array, **content()}, protocol)))
    for name in ("first", "again"):
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
    assert found["first"] is found["again"]
    assert {name: found[name] for name in content()} == content()


def one_line(read: Callable[[], object]) -> str:
    """Return the error of a reader, or an empty string; it is one short line."""
    message = ""
    try:
        read()
    except BenchmarkError as error:
        message = str(error)
    assert "\n" not in message and len(message) < 500
    return message


def mutated(rng: random.Random, valid: bytes) -> bytes:
    """Return a pickle with some bytes changed, an instruction moved, doubled or left out, or parts of two joined."""
    kind = rng.randrange(4)
    if kind == 0:
        changed = bytearray(valid)
        for _ in range(rng.choice((1, 1, 2, 8))):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        return bytes(changed)
    places = [place for _, _, place in pickletools.genops(valid) if place is not None]
    parts = [valid[start:end] for start, end in zip(places, [*places[1:], len(valid)], strict=True)]
    if kind == 1:
        del parts[rng.randrange(len(parts))]
    elif kind == 2:
        parts.insert(rng.randrange(len(parts)), rng.choice(parts))
    else:
        parts[rng.randrange(len(parts))] = rng.choice(
            (FUNCTION, ARRAY, OBJECTS, FLOATS, SCALAR, b"R", b"b", b"\x81", b"0")
        )
    return b"".join(parts)


def test_mutated_pickles_are_read_or_refused_in_one_line() -> None:
    rng = random.Random(19)
    valid = [pickle.dumps(content() | {"array": np.arange(4)}, protocol) for protocol in (2, 3, 4)]
    outcomes = {"read": 0, "refused": 0}
    for _ in range(1500):
        changed = mutated(rng, rng.choice(valid))
        outcomes["refused" if one_line(partial(read_pickle, io.BytesIO(changed))) else "read"] += 1
    assert min(outcomes.values()) > 100


# CIFAR and torch


@pytest.mark.parametrize("hostile", [SCALAR + b"(" + OBJECTS + b"C\x08AAAAAAAAtR.", b"Nr\xff\xff\xff\x7f.", b"."])
def test_batches_of_cifar(tmp_path: Path, hostile: bytes) -> None:
    (tmp_path / "data_batch_1").write_bytes(b"\x80\x02" + hostile)
    with pytest.raises(BenchmarkError, match="data_batch_1 is not a CIFAR batch"):
        load_dataset(f"cifar10:{tmp_path}")


def torch_file(path: Path, pickled: bytes, *, packed: bool = False) -> Path:
    torch.save({"x": 1}, path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        for name, part in parts.items():
            archive.writestr(name, pickled if name.endswith("data.pkl") else part)
    return path


@pytest.mark.parametrize(
    "pickled",
    [
        SCALAR + b"(" + OBJECTS + b"B\x08\0\0\0AAAAAAAAtR.",
        SCALAR + b"(" + FLOATS + b"X\x04\0\0\0textbB\x08\0\0\0AAAAAAAAtR.",
        named("os", "system") + b"(X\x02\0\0\0lstR.",
        b"e.",
        b"",
    ],
)
def test_torch_files_with_hostile_pickles(tmp_path: Path, pickled: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    with pytest.raises(BenchmarkError) as raised:
        load_torch(torch_file(tmp_path / "x.pth", b"\x80\x02" + pickled), "weights")
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 500


class Attack:
    def __init__(self, made: Path) -> None:
        self.made = made

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.made),)


@pytest.mark.parametrize("zipped", [False, True])
def test_nothing_runs_where_the_environment_asks_for_it(
    tmp_path: Path, zipped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    torch.save(Attack(tmp_path / "made"), tmp_path / "x.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(BenchmarkError, match=r"it names (posix|nt)\.mkdir"):
        load_torch(tmp_path / "x.pth", "weights")
    assert not (tmp_path / "made").exists()


def test_packed_torch_files_are_not_unpacked(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="torch cannot read it"):
        load_torch(torch_file(tmp_path / "x.pth", b"\x80\x02}.", packed=True), "weights")


def test_mutated_torch_files(tmp_path: Path) -> None:
    rng = random.Random(19)
    state = {"weight": torch.arange(6.0), "numbers": {("cifar10", 777): np.float64(1.5), "list": [1, None, "x"]}}
    saved = []
    for zipped in (False, True):
        torch.save(state, tmp_path / "x.pth", _use_new_zipfile_serialization=zipped)
        saved.append((tmp_path / "x.pth").read_bytes())
    for _ in range(150):
        changed = bytearray(rng.choice(saved))
        for _ in range(rng.choice((1, 2, 8))):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        (tmp_path / "x.pth").write_bytes(changed[: rng.choice((len(changed), rng.randrange(len(changed))))])
        one_line(lambda: load_torch(tmp_path / "x.pth", "weights"))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pth")
    with pytest.raises(StorageError, match="is not a regular file"):
        load_torch(tmp_path / "pipe.pth", "weights")
