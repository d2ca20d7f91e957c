from __future__ import annotations

import numpy as np
import pytest

from zcproxy.columns.table import ColumnTable
from zcproxy.evolve.proposals import useful_columns
from zcproxy.formula import Blocks
from zcproxy.primitives import parse

COLUMN, OF_BLOCKS = parse("mean_abs(weight)"), parse("mean_abs(block@noise)")


@pytest.mark.parametrize(
    ("values", "useful"),
    [([1.0, 2.0], True), ([1.0, 1.0], False), ([1.0, np.nan], False), ([], False)],
    ids=["differs", "constant", "undefined", "no live layer in any network"],
)
def test_a_column_is_useful_if_it_is_finite_and_tells_networks_apart(values: list[float], useful: bool) -> None:
    table = ColumnTable(np.array([len(values)]), {COLUMN: np.array(values, dtype=np.float32)})
    assert useful_columns([table], [COLUMN]) == ([COLUMN] if useful else [])


def test_columns_of_blocks_are_not_proposed() -> None:
    blocks = Blocks(np.array([2]), np.array([0, 1]))
    table = ColumnTable(np.array([2]), {OF_BLOCKS: np.array([1.0, 2.0])}, blocks=blocks)
    assert useful_columns([table], [OF_BLOCKS]) == []
