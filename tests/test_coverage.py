"""What `score` and `table` say that they leave out, of all networks and from the store."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import Tensor, nn, randn, zeros

from zcproxy.contracts.choice_space import ChoiceSpace
from zcproxy.contracts.task import Batch
from zcproxy.probing.coverage import Coverage, coverage_from
from zcproxy.ranking.coverage import coverage_note

Run = Callable[..., tuple[int, str, str]]


class Scaled(nn.Module):
    """A linear layer, scaled by a matrix of parameters that is not a layer's."""

    def __init__(self, width: int, extra: int) -> None:
        super().__init__()
        self.layer, self.scale = nn.Linear(4, width), nn.Parameter(randn(extra, 8)) if extra else None
        self.head = nn.Linear(width, 2)

    def forward(self, x: Tensor) -> Tensor:
        y = self.layer(x).relu()
        return self.head(y if self.scale is None else y * self.scale.mean())


class Space(ChoiceSpace):
    name = "scaled"
    choices = {"extra": (0, 3), "width": (2, 4, 6, 8)}  # noqa: RUF012

    def build(self, architecture: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        return Scaled(**self.decode(architecture))


class Own:
    """A task most of whose networks are layers alone: all but the last two."""

    name, space, input_shape, classes, fingerprint = "test_coverage_task:TASK", Space(), (4,), 2, "own"

    def architectures(self, population: str) -> tuple[str, ...]:
        plain = [self.space.encode({"extra": 0, "width": width}) for width in (2, 4, 6, 8)]
        return (*plain, *(self.space.encode({"extra": 3, "width": width}) for width in (2, 8)))

    def labels(self, architectures: tuple[str, ...]) -> NDArray[np.float64]:
        return np.array([50.0 + self.space.decode(text)["width"] for text in architectures])

    def build(self, architecture: str) -> nn.Module:
        return self.space.build(architecture, self.input_shape, self.classes)

    def batch(self, size: int) -> Batch:
        return Batch(randn(size, 4), zeros(size).long())

    def baselines(self, architectures: tuple[str, ...]) -> dict[str, NDArray[np.float64]]:
        return {"params": self.labels(architectures), "flops": self.labels(architectures)}

    def noise_ceiling(self) -> None:
        return None


TASK = Own()
LINE = "Left out: of 2 of 6 networks up to 66.7% of the parameters of two or more dimensions"


def test_score_and_table_tell_of_all_networks_and_what_is_known(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "test_coverage_task", sys.modules[__name__])
    reference = ("test_coverage_task:TASK", "--workers", "1")
    for _ in range(2):  # measured, then known
        code, _, shown = run("score", "sum(sum(weight))", *reference)
        assert (code, LINE in shown, "(largest: scale)" in shown) == (0, True, True), shown
    code, _, shown = run("table", "--proxies", "mine=sum(sum(weight)),params", *reference)
    assert (code, LINE in shown) == (0, True), shown


@pytest.mark.parametrize("found", [Coverage(), Coverage({"a": 3, "b.c": 5}, 0.25, ("d",), ("e", "f"))])
def test_the_text_of_a_coverage_is_read_back(found: Coverage) -> None:
    assert coverage_from(found.text) == found


def test_next_to_nothing_is_not_mentioned() -> None:
    assert coverage_note([]) is None
    assert coverage_note([Coverage(), Coverage({"a": 1}, 0.01)]) is None
    line = coverage_note([Coverage(), Coverage(generated=("body.0", "body.1"))])
    assert line == "Left out: of 1 of 2 networks weights computed from the data (in body.0, body.1)."
