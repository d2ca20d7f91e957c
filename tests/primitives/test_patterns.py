from __future__ import annotations

import pytest
import torch

from zcproxy.formula import vocabulary
from zcproxy.primitives import parse
from zcproxy.probing.expressions import ColumnEvaluator


def test_patterns_are_counted_once_in_all_layers_together() -> None:
    layers = [{"output@noise": torch.tensor(rows)} for rows in ([[1.0, -1.0, 2.0], [0.0, 1.0, 0.0]], [[1.0], [3.0]])]
    column = parse("distinct_patterns(unit_patterns(output@noise))")
    patterns = vocabulary().function(column.arguments[0])
    assert [patterns(layer["output@noise"]).tolist() for layer in layers] == [[[1, 0], [0, 1]], [[1, 1]]]
    assert ColumnEvaluator([column]).evaluate(layers)[column].item() == 3.0
    repeated = [layers[0], {"output@noise": -layers[0]["output@noise"]}, layers[0]]
    assert ColumnEvaluator([column]).evaluate(repeated)[column].item() == 3.0  # -0 is not a positive number either
    fewer = [*layers, {"output@noise": torch.ones(1, 4)}]
    assert torch.isnan(ColumnEvaluator([column]).evaluate(fewer)[column])


@pytest.mark.parametrize("samples", [1, 5, 62, 63, 130])
def test_any_number_of_samples(samples: int) -> None:
    generator = torch.Generator().manual_seed(samples)
    few = torch.randn((6, samples), generator=generator)
    units = few[torch.randint(6, (40,), generator=generator)].T  # samples x units, of at most six patterns
    function = vocabulary().function(parse("distinct_patterns(unit_patterns(output@noise))").arguments[0])
    found = function(units)
    assert found.dtype == units.dtype
    assert sorted(map(tuple, found.tolist())) == sorted(set(map(tuple, (units.T > 0).float().tolist())))
