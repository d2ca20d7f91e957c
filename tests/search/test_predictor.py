"""What is predicted from encodings and hints, on a space where the truth is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau

from zcproxy.random import generator
from zcproxy.search.encoding import Encoder
from zcproxy.search.predictor import Predictor

from .conftest import Bowl


def truth(bowl: Bowl, architectures: Sequence[str]) -> NDArray[np.float64]:
    """Return something that no line fits: one column, architectures in rows."""
    rows = [[int(number) for number in bowl.decode(text).values()] for text in architectures]
    return np.array([[-((a - 3) ** 2) - b * c / 2 + d] for a, b, c, d in rows], float)


def no_hints(architectures: Sequence[str]) -> NDArray[np.float64]:
    return np.empty((len(architectures), 0))


def drawn(bowl: Bowl, number: int) -> tuple[list[str], list[str]]:
    """Return as many architectures to learn from, and others."""
    rng = generator("test of predictors")
    everything = list(dict.fromkeys(bowl.sample(rng) for _ in range(number + 400)))
    return everything[:number], everything[number:]


def test_predictions_rank_what_was_not_measured(bowl: Bowl) -> None:
    known, unknown = drawn(bowl, 120)
    means, spreads = Predictor(known, truth(bowl, known), no_hints)(unknown)
    errors = means - truth(bowl, unknown)
    assert kendalltau(means[:, 0], truth(bowl, unknown)[:, 0]).statistic > 0.8
    assert 0.6 < (np.abs(errors) < 2.0 * spreads).mean() <= 1.0, "the spreads do not say how wrong predictions are"


def test_measured_architectures_are_more_certain_than_others(bowl: Bowl) -> None:
    known, unknown = drawn(bowl, 60)
    predictor = Predictor(known, truth(bowl, known), no_hints)
    assert predictor(known)[1].mean() < predictor(unknown)[1].mean()


def test_a_hint_that_tells_the_truth_is_believed(bowl: Bowl) -> None:
    known, unknown = drawn(bowl, 60)

    def hints(architectures: Sequence[str]) -> NDArray[np.float64]:
        return np.sinh(truth(bowl, architectures))  # many powers of ten, which arcsinh makes small

    def patchy(architectures: Sequence[str]) -> NDArray[np.float64]:
        return np.where(np.arange(len(architectures))[:, None] % 10 == 9, np.nan, hints(architectures))

    told, untold, partly = (
        np.abs(Predictor(known, truth(bowl, known), given)(unknown)[0] - truth(bowl, unknown))
        for given in (hints, no_hints, patchy)
    )
    assert told.mean() < 0.3 * untold.mean()
    assert np.isfinite(partly).all()


def test_an_encoding_has_a_feature_for_each_word_and_number_at_its_place() -> None:
    encoder = Encoder(["k3e6+k5e4", "k3e4+k3e4"])
    found = encoder(["k3e6+k5e4", "k3e4+k3e4", "k7e6"])
    assert found.shape[1] == len({"k3e6 first", "k3e4 first", "k5e4 second", "k3e4 second"}) + 4
    assert sorted(found[0]) == [0.0, 0.0, 1.0, 1.0, 3.0, 4.0, 5.0, 6.0]
    assert sorted(found[2]) == [0.0] * 6 + [6.0, 7.0], "an unknown word, and a place that is not there"
