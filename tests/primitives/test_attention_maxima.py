"""Maxima along one axis, against numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from zcproxy.formula import vocabulary


@pytest.mark.parametrize("shape", [(4, 3), (4, 5, 3), (2, 3, 4, 5)])
def test_maxima_are_those_of_numpy(shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).normal(size=shape)
    found = {
        name: next(iter(vocabulary().primitives[name].functions.values()))(torch.tensor(values)).numpy()
        for name in ("row_max", "token_max")
    }
    np.testing.assert_array_equal(found["row_max"], values.max(-1))
    np.testing.assert_array_equal(found["token_max"], values.max(1) if len(shape) > 2 else values)
