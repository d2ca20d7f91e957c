"""Simplification keeps the ranks and leaves nothing to leave out."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from zcproxy.columns.table import ColumnTable
from zcproxy.evolve.fitness import FitnessFunction
from zcproxy.evolve.simplify import simplify
from zcproxy.formula import Kind, Node
from zcproxy.formula.canonical import canonical
from zcproxy.formula.choices import number_choices
from zcproxy.formula.evaluate import Outcome
from zcproxy.primitives import parse

COLUMNS = [parse(text) for text in ("params", "macs", "total_params", "depth")]


@pytest.fixture(scope="module")
def scorer() -> FitnessFunction:
    rng = np.random.default_rng(4)
    counts = rng.integers(1, 7, 40)
    values: dict[Node, np.ndarray] = {
        column: rng.uniform(0.5, 9.0, counts.sum() if column.kind is Kind.LAYER else 40) for column in COLUMNS
    }
    return FitnessFunction([ColumnTable(counts, values)], [rng.normal(size=40)])


@pytest.mark.parametrize(
    ("long", "short"),
    [
        ("exp(log(sum(params)))", "sum(params)"),
        ("sqrt(total_params + 3.0) * 2.0", "total_params"),
        ("relu(sum(macs)) + total_params * 1e-12", "sum(macs)"),
        ("sum(params) - depth", "sum(params) - depth"),
    ],
)
def test_what_changes_no_rank_is_left_out(scorer: FitnessFunction, long: str, short: str) -> None:
    assert str(simplify(parse(long), scorer)) == str(canonical(parse(short)))


def test_random_formulas_keep_their_ranks(scorer: FitnessFunction) -> None:
    rng, choices = Random(2), number_choices(COLUMNS)
    shorter = 0
    for _ in range(60):
        formula = canonical(choices.generate(Kind.NETWORK, rng, 6))
        before = scorer(formula)
        if before.outcome is not Outcome.OK:
            continue
        after = simplify(formula, scorer)
        assert scorer(after).signature == before.signature
        assert after.size <= formula.size
        assert simplify(after, scorer) == after
        shorter += after.size < formula.size
    assert shorter > 5
