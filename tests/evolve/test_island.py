"""What an island lets in."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from zcproxy.columns.table import ColumnTable
from zcproxy.evolve import primitive_set
from zcproxy.evolve.fitness import Fitness, FitnessFunction
from zcproxy.evolve.island import Epoch
from zcproxy.formula import Node
from zcproxy.formula.choices import has_small_numbers
from zcproxy.primitives import parse

COLUMNS = [parse("total_params"), parse("depth")]


class Recording(FitnessFunction):
    """Notes what it scores."""

    def __call__(self, formula: Node) -> Fitness:
        self.__dict__.setdefault("seen", []).append(formula)
        return super().__call__(formula)


@pytest.mark.parametrize("seed", range(3))
def test_numbers_that_fold_into_a_large_one_are_never_scored(seed: int) -> None:
    rng = np.random.default_rng(0)
    table = ColumnTable(np.ones(30, int), {column: rng.uniform(1.0, 9.0, 30) for column in COLUMNS})
    scorer = Recording([table], [rng.normal(size=30)])
    epoch = Epoch(scorer, primitive_set(COLUMNS, maximum_size=20), Random(seed))
    epoch.evolve([parse("total_params * 900000.0 + depth * 900000.0")], 100, 10)
    seen = scorer.__dict__["seen"]
    assert len(seen) > 500
    assert all(map(has_small_numbers, seen))
