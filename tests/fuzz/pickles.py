"""Pickles and torch files: programs of opcodes, forbidden names, odd dtypes, damaged bytes. Nothing of them may run."""

from __future__ import annotations

import bz2
import io
import pickle
import struct
import zipfile
from pathlib import Path
from random import Random

import numpy as np

from fuzz.client import MARKER, Room
from fuzz.judging import judge
from fuzz.materials import Materials
from fuzz.mutations import damage_bytes, flip_bits
from fuzz.outcome import Outcome, PromiseError, Verdict, printable

_GLOBALS = (
    *(
        "os system",
        "posix system",
        "builtins eval",
        "builtins exec",
        "builtins getattr",
        "builtins dict",
        "builtins set",
    ),
    *("builtins list", "collections OrderedDict", "collections defaultdict", "numpy dtype", "numpy ndarray"),
    *("numpy._core.multiarray scalar", "numpy.core.multiarray scalar", "numpy._core.multiarray _reconstruct"),
    *("_codecs encode", "numpy f2py", "torch._utils _rebuild_tensor_v2", "torch FloatStorage", "subprocess Popen"),
    *(
        "numpy load",
        "torch load",
        "zcproxy.benchmarks spaces.get_space",
        "builtins __import__",
        "copyreg _reconstructor",
    ),
)
_TYPES = ("O", "O8", "|O", "f8", "<f4", "i8", "U5", "S3", "V8", "f8,O", "(2,)O", "M8[ns]", "c16", "b", "?", "x", "")
_RELEASE = "NATS-sss-v1_0-50262"
_PROTOCOLS = (0, 1, 2, 3, 4, 5)


class Pickles:
    """One hostile pickle through everything that reads one."""

    name = "pickles"

    def __init__(self, materials: Materials) -> None:
        self._materials = materials

    def attempt(self, rng: Random, folder: Path) -> Outcome:
        """Make a pickle, put it where a command reads one, and read it."""
        room = Room(folder).make()
        content = pickled(rng)
        kind = rng.random()
        if kind < 0.45:
            (room.work / "file").write_bytes(content)
            request = room.request(["file"], function="fuzz.pickles:read", memory=4 << 30)
        else:
            arguments = rng.choice((_nats, _nats_folder, _torch, _torch_zip, _cifar, _weights))(room.work, content, rng)
            request = room.request(arguments, memory=4 << 30, seconds=120)
        outcome = judge(self._materials.server.run(request))
        try:
            room.check()
        except PromiseError as broken:
            outcome = Outcome(Verdict.FAILED, str(broken))
        case = f"{' '.join(request.arguments)}: {printable(content.decode('latin1'), 1500)}"
        return Outcome(outcome.verdict, outcome.kind, outcome.detail, case)


def read(path: str) -> None:
    """Read a pickle with the project's reader, and use what came out."""
    from zcproxy.reading.safe_pickle import read_pickle

    with open(path, "rb") as stream:
        repr(read_pickle(stream))


def pickled(rng: Random) -> bytes:
    """Return a hostile pickle."""
    kind = rng.random()
    if kind < 0.25:
        return _program(rng)
    if kind < 0.5:
        return _scalar(rng)
    content = pickle.dumps(_plain(rng), rng.choice(_PROTOCOLS))
    if kind < 0.6:
        return flip_bits(content, rng, rng.choice((1, 2, 5)))
    if kind < 0.75:
        return damage_bytes(content, rng)
    if kind < 0.9:
        place = rng.randrange(len(content))
        return content[:place] + _call(rng) + content[place:]
    return _call(rng) + b"." if kind < 0.97 else rng.randbytes(rng.randint(0, 200))


def _plain(rng: Random) -> object:
    array = np.arange(6, dtype=rng.choice(("f8", "i4", "u1", "f4")))
    return rng.choice(
        (
            {"meta_archs": ["8:8:8:8:8"], "arch2infos": {0: {"12": {"a": 1}, "90": {}}}},
            {"meta_archs": ["8:8:8:8:8"], "arch2infos": {0: {"12": "evil.pbz2", "90": "evil.pbz2"}}},
            {b"data": np.zeros((2, 3072), np.uint8), b"labels": [0, 1], b"fine_labels": [0, 1]},
            {"data": {"micro": {"64-41414-1_01_002": {"class_object": {"metrics": {"test_top1": [1.0, 50.0]}}}}}},
            {"a": [1, 2.5, None, True], "b": array, "c": np.float64(1.5), "d": {1, 2}, "e": np.int64(3)},
            [array, array.reshape(2, 3), np.array(["x", "yy"]), np.array([True])],
        )
    )


def _global(name: str, rng: Random) -> bytes:
    module, _, attribute = name.rpartition(" ")
    if rng.random() < 0.5:
        return b"c" + module.encode() + b"\n" + attribute.encode() + b"\n"
    return b"".join(b"\x8c" + struct.pack("B", len(word)) + word.encode() for word in (module, attribute)) + b"\x93"


def _call(rng: Random) -> bytes:
    """Return opcodes that call something with one text."""
    return _global(rng.choice(_GLOBALS), rng) + b"(" + _text(f"touch {MARKER}") + b"tR"


def _text(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text)) + text.encode()


def _scalar(rng: Random) -> bytes:
    """Return a number or array of numpy with an odd dtype, or with a state that changes one."""
    kind = "O" if rng.random() < 0.4 else rng.choice(_TYPES)
    dtype = _global("numpy dtype", rng) + b"(" + _text(kind) + b"\x89\x88tR"
    if rng.random() < 0.7:
        size = rng.choice((8, 8, 8, 0, -1, 1, 2**31 - 1))
        flags = rng.choice((0, 0, 63, 1, 255))
        state = (rng.choice((3, 4, 1)), rng.choice("|<>="), rng.choice((None, ("a",), "x")), None, None, size, 8, flags)
        dtype += pickle.dumps(state, 2)[2:-1] + b"b"
    data = b"C\x08" + rng.choice((b"AAAAAAAA", rng.randbytes(8), bytes(8)))
    if rng.random() < 0.6:
        return b"\x80\x02" + _global("numpy._core.multiarray scalar", rng) + b"(" + dtype + data + b"tR."
    shape = pickle.dumps(rng.choice(((1,), (0,), (10**6,), (-1,), (2**40,), (), (1, 1))), 2)[2:-1]
    array = _global("numpy._core.multiarray _reconstruct", rng) + b"(" + _global("numpy ndarray", rng)
    array += pickle.dumps((0,), 2)[2:-1] + b"C\x01btR"
    return b"\x80\x02" + array + b"(K\x01" + shape + dtype + b"\x89" + data + b"tb."


def _program(rng: Random) -> bytes:
    """Return a random sequence of opcodes."""
    simple = [bytes([code]) for code in b"(012abdelostuR}])N\x81\x85\x86\x88\x89\x8f\x90\x91\x92\x93\x94Q"]
    parts = [b"\x80" + bytes([rng.choice((2, 3, 4, 5, 9))])] if rng.random() < 0.8 else []
    for _ in range(rng.randint(1, 40)):
        kind = rng.random()
        if kind < 0.55:
            parts.append(rng.choice(simple))
        elif kind < 0.7:
            parts.append(_global(rng.choice(_GLOBALS), rng))
        elif kind < 0.8:
            parts.append(_text(rng.choice(("x", f"touch {MARKER}", "__class__", ""))))
        elif kind < 0.9:
            parts.append(
                rng.choice(
                    (b"K\x05", b"J\xff\xff\xff\xff", b"I1\n", b"F1.5\n", b"q\x00", b"h\x00", b"r\xff\xff\xff\x7f")
                )
            )
        else:
            huge = struct.pack("<q", rng.choice((-1, 2**31, 2**62)))
            parts.append(
                rng.choice(
                    (b"\x8d" + huge, b"\x8e" + huge, b"\x95" + huge, b"B\xff\xff\xff\x7f", b"\x8b\xff\xff\xff\x7f")
                )
            )
    return b"".join(parts) + b"."


def _nats(folder: Path, content: bytes, rng: Random) -> list[str]:
    name = f"{_RELEASE}.pickle.pbz2"
    packed = bz2.compress(content)
    (folder / name).write_bytes(packed if rng.random() < 0.8 else damage_bytes(packed, rng))
    return ["benchmark", "import", "nats_sss", name, "--trust"]


def _nats_folder(folder: Path, content: bytes, rng: Random) -> list[str]:
    place = folder / f"{_RELEASE}-simple"
    place.mkdir()
    meta = {"meta_archs": ["8:8:8:8:8"], "arch2infos": None}
    (place / "meta.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps(meta)))
    (place / "000000.pickle.pbz2").write_bytes(bz2.compress(content))
    evil = b"cos\nsystem\n(" + _text(f"touch {MARKER}") + b"tR."
    (folder / "evil.pbz2").write_bytes(bz2.compress(evil))
    return ["benchmark", "import", "nats_sss", place.name, "--trust"]


def _torch(folder: Path, content: bytes, rng: Random) -> list[str]:
    benchmark, name = rng.choice(_TORCH_FILES)
    (folder / name).write_bytes(content)
    return ["benchmark", "import", benchmark, name, "--trust"]


_TORCH_FILES = (
    ("nasbench201", "NAS-Bench-201-v1_1-096897.pth"),
    ("transnas101", "transnas-bench_v10141024.pth"),
)


def _torch_zip(folder: Path, content: bytes, rng: Random) -> list[str]:
    benchmark, name = rng.choice(_TORCH_FILES)
    (folder / name).write_bytes(_archive(content, rng))
    return ["benchmark", "import", benchmark, name, "--trust"]


def _archive(content: bytes, rng: Random) -> bytes:
    """Return a file as torch.save makes it, around a pickle."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", content)
        archive.writestr("archive/byteorder", rng.choice(("little", "big", "x")))
        archive.writestr("archive/version", rng.choice(("3\n", "9\n", "x")))
        archive.writestr("archive/data/0", rng.randbytes(16))
    packed = buffer.getvalue()
    return packed if rng.random() < 0.8 else damage_bytes(packed, rng)


def _cifar(folder: Path, content: bytes, rng: Random) -> list[str]:
    place = folder / "cifar"
    place.mkdir()
    for name in ("train", "test", "test_batch", *(f"data_batch_{number}" for number in range(1, 6))):
        (place / name).write_bytes(content)
    kind = rng.choice(("cifar10", "cifar100"))
    options = ["--networks", "2", "--seeds", "1", "--epochs", "1", "--workers", "1", "--out", "built"]
    space = ["--space", "nasbench201", "--space-option", "channels=2", "--space-option", "cells=1"]
    return ["benchmark", "build", *space, "--dataset", f"{kind}:cifar", *options]


def _weights(folder: Path, content: bytes, rng: Random) -> list[str]:
    (folder / "weights.pt").write_bytes(content if rng.random() < 0.4 else _archive(content, rng))
    options = ["--evaluations", "4", "--population", "4", "--workers", "1", "--maximize", "accuracy"]
    return ["search", "elastic_digits", "--shared-weights", "weights.pt", *options]
