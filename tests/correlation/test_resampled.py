"""Measures of counted draws equal the plain measures of the drawn networks, one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st

from zcproxy.correlation.ranks import rank_scores
from zcproxy.correlation.resampled import RESAMPLED, Resampled
from zcproxy.ranking.measures import MEASURES

few, many = st.integers(-2, 2).map(float), st.floats(-1e6, 1e6, width=32)
number = few | many


@pytest.mark.parametrize("name", MEASURES)
@settings(deadline=None, max_examples=60)
@given(
    networks=st.lists(st.tuples(number | st.just(math.nan), number, number, st.integers(0, 3)), min_size=2, max_size=30)
)
def test_equals_the_plain_measure_of_the_draw(name, networks):
    scores, labels, params, counts = (np.array(values, np.float64) for values in zip(*networks, strict=True))
    drawn = np.repeat(np.arange(len(networks)), counts.astype(int))
    assume(len(drawn) > 1 and np.ptp(labels[drawn]) > 0)
    ranks = rank_scores(scores)
    found = RESAMPLED[name](Resampled(ranks, labels, params, np.array([counts, counts])))
    plain = MEASURES[name](ranks[drawn], labels[drawn], params[drawn])
    assert found == pytest.approx([plain, plain], abs=1e-7, nan_ok=True)


def test_a_label_far_above_those_drawn_does_not_overflow():
    labels, counts = np.array([0.0, 0.0, 1.0, 52.0]), np.array([[0, 1, 1, 0]])
    found = RESAMPLED["ndcg"](Resampled(rank_scores(np.arange(4.0)), labels, labels, counts))
    assert found == pytest.approx([1.0])


def test_there_is_one_for_every_measure_of_a_table():
    assert set(RESAMPLED) == set(MEASURES)
