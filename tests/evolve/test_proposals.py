from __future__ import annotations

import numpy as np
import pytest

from zcproxy.columns.table import ColumnTable
from zcproxy.evolve.proposals import useful_columns
from zcproxy.primitives import parse

COLUMN = parse("mean_abs(weight)")


@pytest.mark.parametrize(
    ("values", "useful"),
    [([1.0, 2.0], True), ([1.0, 1.0], False), ([1.0, np.nan], False), ([], False)],
    ids=["differs", "constant", "undefined", "no live layer in any network"],
)
def test_a_column_is_useful_if_it_is_finite_and_tells_networks_apart(values: list[float], useful: bool) -> None:
    table = ColumnTable(np.array([len(values)]), {COLUMN: np.array(values, dtype=np.float32)})
    assert useful_columns([table], [COLUMN]) == ([COLUMN] if useful else [])
