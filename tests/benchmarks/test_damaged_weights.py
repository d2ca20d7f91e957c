"""Kept and given weights of a super-network that were damaged: never other numbers."""

from __future__ import annotations

import functools
import io
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from corruptions import ALL
from torch import Tensor

from zcproxy.benchmarks.elastic_digits import ElasticDigits, super_network
from zcproxy.benchmarks.elastic_digits.sharing import train_shared
from zcproxy.errors import ModelError
from zcproxy.reading.weights import read_weights, save_weights


def untrained() -> dict[str, Tensor]:
    elastic = ElasticDigits()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        largest = elastic.sub_network({name: options[-1] for name, options in elastic.choices.items()})
    return {name: value.detach() for name, value in largest.named_parameters()}


WEIGHTS = untrained()


@pytest.mark.parametrize("seed", range(40))
def test_damaged_weights_are_refused(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "weights.pt"
    save_weights(path, WEIGHTS)
    rng = random.Random(seed)
    before = path.read_bytes()
    path.write_bytes(rng.choice(ALL)(before, rng))
    if path.read_bytes() != before:
        with pytest.raises(ModelError, match=r"cannot read the weights .*weights\.pt") as raised:
            read_weights(path)
        assert "\n" not in str(raised.value)
    path.write_bytes(before)
    assert all(torch.equal(value, WEIGHTS[name]) for name, value in read_weights(path).items())


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Count the trainings; each has one epoch."""
    calls: list[int] = []

    @functools.wraps(train_shared)
    def quick(network: ElasticDigits, dataset: object, **options: object) -> dict[str, Tensor]:
        calls.append(1)
        return {name: value.clone() for name, value in WEIGHTS.items()}

    with monkeypatch.context() as patch:
        patch.setattr(super_network, "train_shared", quick)
        yield calls


@pytest.mark.parametrize("fault", ["flipped", "torn", "a folder", "of an older version", "deleted", "whole"])
def test_kept_weights_that_are_damaged_are_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ZCPROXY_CACHE", str(tmp_path))
    with counted(monkeypatch) as calls:
        assert ElasticDigits().weights.keys() == WEIGHTS.keys() and len(calls) == 1
        (kept,) = (tmp_path / "super_networks").iterdir()
        content = kept.read_bytes()
        if fault == "flipped":
            kept.write_bytes(content[:-5000] + bytes([content[-5000] ^ 4]) + content[-4999:])
        elif fault == "torn":
            kept.write_bytes(content[:-1])
        elif fault == "of an older version":
            torch.save(WEIGHTS, kept)
        elif fault != "whole":
            kept.unlink()
            if fault == "a folder":
                kept.mkdir()
        found = ElasticDigits().weights
        assert all(torch.equal(value, WEIGHTS[name]) for name, value in found.items())
        assert len(calls) == (1 if fault == "whole" else 2)
        assert len(caplog.records) == (0 if fault in ("whole", "deleted") else 1)
        assert ElasticDigits().weights.keys() == WEIGHTS.keys() and len(calls) == (1 if fault == "whole" else 2)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_given_weights_need_no_checksum_but_finite_numbers(tmp_path: Path, value: float) -> None:
    path = tmp_path / "given.pt"
    torch.save(WEIGHTS, path)
    elastic = ElasticDigits()
    elastic.load(path)
    assert elastic.weights.keys() == WEIGHTS.keys()
    name = next(iter(WEIGHTS))
    changed = WEIGHTS[name].clone()
    changed.view(-1)[3] = value
    torch.save({**WEIGHTS, name: changed}, path)
    with pytest.raises(ModelError, match=f"given.pt: the weight '{name}' holds NaN or infinity"):
        ElasticDigits().load(path)


def test_given_weights_of_other_types_are_refused(tmp_path: Path) -> None:
    name = next(iter(WEIGHTS))
    for odd in (WEIGHTS[name].to(torch.complex64), WEIGHTS[name].long(), WEIGHTS[name].to_sparse()):
        buffer = io.BytesIO()
        torch.save({**WEIGHTS, name: odd}, buffer)
        (tmp_path / "odd.pt").write_bytes(buffer.getvalue())
        with pytest.raises(ModelError, match="holds something else than weights by name"):
            ElasticDigits().load(tmp_path / "odd.pt")
