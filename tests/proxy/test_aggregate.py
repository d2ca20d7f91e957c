from __future__ import annotations

import math

import numpy as np
import pytest

from zcproxy.errors import ConfigurationError
from zcproxy.primitives import parse
from zcproxy.proxy.aggregate import Aggregate, members_of, text_of
from zcproxy.proxy.proxy import Proxy

DEPTH, PARAMS = (Proxy(parse(text), name=text) for text in ("depth", "total_params"))


def test_sums_the_ranks_or_their_logarithms():
    scores = [np.array([3.0, 1.0, 2.0]), np.array([10.0, 30.0, 20.0])]
    ranks = Aggregate("a", (DEPTH, PARAMS), "ranks").scores(scores)
    assert ranks == pytest.approx([(3 + 1) / 3, (1 + 3) / 3, (2 + 2) / 3])
    logs = Aggregate("a", (DEPTH, PARAMS), "log_ranks").scores(scores)
    assert logs == pytest.approx([math.log(1 / 3), math.log(1 / 3), 2 * math.log(2 / 3)])


def test_only_ranks_matter_and_what_is_undefined_ranks_last():
    aggregate = Aggregate("a", (DEPTH, PARAMS))
    first = aggregate.scores([np.array([math.nan, 5.0, 6.0]), np.array([1e9, 2.0, 3.0])])
    second = aggregate.scores([np.array([-7.0, 50.0, 60.0]), np.array([9.0, 0.2, 0.3])])
    assert np.isfinite(first).all() and first == pytest.approx(second)


def test_networks_that_share_a_value_share_a_rank():
    assert Aggregate("a", (DEPTH, DEPTH), "ranks").scores([np.ones(2), np.zeros(2)]) == pytest.approx([1.5, 1.5])


def test_knows_its_members():
    aggregate = Aggregate("a", (DEPTH, PARAMS, DEPTH))
    assert members_of(aggregate) == (DEPTH, PARAMS, DEPTH) and members_of(DEPTH) == (DEPTH,)
    assert (text_of(aggregate), text_of(DEPTH)) == ("log_ranks(depth, total_params, depth)", "depth")


def test_what_cannot_be_summed_is_named():
    with pytest.raises(ConfigurationError, match="'a' needs 2 or more proxies, it has 1"):
        Aggregate("a", (DEPTH,))
    with pytest.raises(ConfigurationError, match=r"unknown rule 'log_rank' \(did you mean log_ranks"):
        Aggregate("a", (DEPTH, PARAMS), "log_rank")
