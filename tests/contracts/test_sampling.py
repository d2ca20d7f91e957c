from __future__ import annotations

import numpy as np
import pytest

from zcproxy.contracts.sampling import check_sampling, stratified
from zcproxy.errors import ConfigurationError


def test_strata_are_filled_alike() -> None:
    costs = np.exp(np.random.default_rng(0).normal(size=4000))
    chosen = stratified([str(number) for number in range(4000)], costs.tolist(), 100)
    assert len(set(chosen)) == 100
    logs = np.log(np.maximum(costs, 1.0))
    counts, _ = np.histogram(logs[[int(name) for name in chosen]], bins=10, range=(logs.min(), logs.max()))
    assert counts[:8].tolist() == pytest.approx([counts[0]] * 8, abs=3)
    uniform, _ = np.histogram(logs[:100], bins=10, range=(logs.min(), logs.max()))
    assert counts.std() < 0.5 * uniform.std()


def test_equal_costs_leave_the_order() -> None:
    assert stratified(["b", "a", "c"], [5.0, 5.0, 5.0], 2) == ["b", "a"]


def test_unknown_sampling() -> None:
    with pytest.raises(ConfigurationError, match="did you mean uniform"):
        check_sampling("uniformly")
