"""Pickles: plain containers and numbers are read, calls are refused."""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attacks import Attack

from zcproxy.errors import BenchmarkError
from zcproxy.reading.safe_pickle import read_pickle


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
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("call", [eval, getattr, __import__, np.load, pickle.loads, BenchmarkError])
def test_nothing_else_is_found(call: Any) -> None:
    with pytest.raises(BenchmarkError, match=rf"it names [\w.]*{call.__name__},"):
        read_pickle(io.BytesIO(pickle.dumps(call, protocol=4)))


@pytest.mark.parametrize(
    "content", [b"", b"\x80", b"not a pickle", pickle.dumps([1] * 99)[:50], b"\x80\x04h\x00.", b"N.N."]
)
def test_what_is_no_pickle(content: bytes) -> None:
    with pytest.raises(BenchmarkError, match="the pickle is truncated or not a pickle") as raised:
        read_pickle(io.BytesIO(content))
    assert "\n" not in str(raised.value)
