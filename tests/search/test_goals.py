"""Objectives, bounds, and how architectures do by them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies as st

from zcproxy.errors import ConfigurationError
from zcproxy.search.goals import Goals, Limit, parse_limit


@pytest.mark.parametrize(
    ("text", "name", "bound"),
    [("macs=300M", "macs", 3e8), ("latency_ms=20", "latency_ms", 20.0), ("params=1.5k", "params", 1500.0)],
)
def test_limits_are_read_with_their_units(text: str, name: str, bound: float) -> None:
    assert parse_limit(text) == Limit(name, bound)


@pytest.mark.parametrize("text", ["macs", "macs=", "=3", "macs=3X", "macs=many"])
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="write for example macs=300M"):
        parse_limit(text)


def test_a_bound_is_the_least_of_what_is_maximised_and_the_most_of_costs() -> None:
    assert Limit("accuracy", 90.0).excess(80.0) == pytest.approx(10 / 90)
    assert Limit("accuracy", 90.0).excess(95.0) == 0.0
    assert Limit("macs", 100.0).excess(150.0) == pytest.approx(0.5)
    assert Limit("macs", 100.0).excess(100.0) == 0.0
    assert Limit("macs", 100.0).excess(math.nan) == math.inf


@given(st.floats(allow_nan=True, allow_infinity=True), st.floats(0, 1e9))
def test_an_undefined_objective_ranks_worse_than_any_violation(score: float, macs: float) -> None:
    goals = Goals(("proxy",), ("macs",), (Limit("macs", 1.0),))
    outcome = goals.outcome("a", {"proxy": score, "macs": macs})
    worst = goals.outcome("b", {"proxy": -1e300, "macs": 1e9})
    assert (outcome.key > worst.key) == (not math.isfinite(score) or (outcome.costs > worst.costs and macs == 1e9))


@pytest.mark.parametrize(
    ("maximised", "minimised", "message"),
    [
        ((), (), "nothing to search for"),
        (("proxy", "proxy"), (), "named twice"),
        ((), ("accuracy",), "write maximized=accuracy"),
        (("macs",), (), "write minimized=macs"),
    ],
)
def test_goals_that_make_no_sense_are_refused(
    maximised: tuple[str, ...], minimised: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Goals(maximised, minimised)
