"""`zcproxy.ProxySearch`: the estimator, by itself and in scikit-learn."""

from __future__ import annotations

import logging
import math
import pickle
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import kendalltau
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.utils import estimator_checks
from sklearn.utils.validation import check_is_fitted
from torch import nn

import zcproxy
from zcproxy.discovery.few import Effort
from zcproxy.discovery.watching import Epoch
from zcproxy.errors import BenchmarkError, ConfigurationError, ZcproxyError

Models = dict[str, Callable[[], nn.Module]]

QUICK: dict[str, Any] = {"input_shape": (1, 6, 6), "generations": 1, "island_size": 20, "probes": ("noise",)}
CHECKS = (
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_estimators_unfitted",
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_valid_tag_types",
)
"""The checks of scikit-learn that fit nothing: the others fit to matrices of numbers."""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("columns")


@pytest.fixture
def search(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> zcproxy.ProxySearch:
    monkeypatch.chdir(tmp_path)
    return zcproxy.ProxySearch(**QUICK, cache=cache)


@pytest.fixture
def listed(models: Models) -> list[Callable[[], nn.Module]]:
    return list(models.values())


@pytest.fixture
def shares(trained: pd.DataFrame) -> np.ndarray[Any, Any]:
    return trained["accuracy"].to_numpy()


@pytest.mark.parametrize("check", [name for name in CHECKS if hasattr(estimator_checks, name)])
def test_the_checks_of_scikit_learn_pass(check: str) -> None:
    getattr(estimator_checks, check)("ProxySearch", zcproxy.ProxySearch(**QUICK))


def test_it_is_fitted_predicts_and_scores(search: zcproxy.ProxySearch, listed: list[Any], shares: Any) -> None:
    assert search.fit(listed, shares) is search
    check_is_fitted(search)
    assert search.n_networks_ == 24 and search.left_out_ == {} and search.path_ is None
    assert list(Path.cwd().iterdir()) == []
    front = search.front_
    assert {"size", "formula", "training_tau", "validation_tau", "cost", "chosen"} <= set(front)
    assert front["size"].is_monotonic_increasing and front["size"].max() <= 12
    (chosen,) = front[front["chosen"]].itertuples()
    assert chosen.formula == str(search.best_.formula)
    assert search.expected_ is not None and -1 <= search.expected_.low < search.expected_.high <= 1
    scores = search.predict(listed)
    assert scores.shape == (24,) and scores.dtype == np.float64
    tau = search.score(listed, shares)
    assert tau == pytest.approx(kendalltau(scores, shares).statistic)
    assert chosen.training_tau == pytest.approx(tau, abs=0.02) and tau > 0.3


def test_a_network_has_the_same_score_wherever_it_stands(
    search: zcproxy.ProxySearch, listed: list[Any], shares: Any
) -> None:
    scores = search.fit(listed, shares).predict(listed)
    order = np.random.default_rng(0).permutation(24)
    array = np.empty(24, dtype=object)
    array[:] = listed
    assert np.array_equal(search.predict(array[order]), scores[order])
    assert np.array_equal(search.predict(listed[3:5]), scores[3:5])
    assert search.score(array[order], pd.Series(shares)[order]) == search.score(listed, shares)


def test_the_same_seed_finds_the_same_and_labels_alone_tell_fits_apart(
    search: zcproxy.ProxySearch, listed: list[Any], shares: Any, tmp_path: Path
) -> None:
    first = clone(search).set_params(random_state=3, out=tmp_path / "runs").fit(listed, shares)
    second = clone(first).set_params(random_state=np.int64(3), n_jobs=None).fit(listed, list(shares))
    assert first.seed_ == 3 and first.front_.equals(second.front_) and first.expected_ == second.expected_
    assert first.path_ == second.path_ and first.path_ is not None and (first.path_ / "discovered.json").is_file()
    other = clone(first).fit(listed, shares[::-1])
    assert other.path_ != first.path_ and len(list((tmp_path / "runs").iterdir())) == 2
    drawn = [clone(search).set_params(random_state=np.random.RandomState(7)).fit(listed, shares) for _ in range(2)]
    assert drawn[0].seed_ == drawn[1].seed_ and drawn[0].front_.equals(drawn[1].front_)


def test_it_works_in_cross_validation_and_in_a_grid(
    search: zcproxy.ProxySearch, listed: list[Any], shares: Any, caplog: pytest.LogCaptureFixture
) -> None:
    tau = make_scorer(lambda labels, scores: kendalltau(labels, scores).statistic)
    folds = KFold(3, shuffle=True, random_state=0)
    by_scorer = cross_val_score(search, listed, shares, cv=folds, scoring=tau)
    assert by_scorer.shape == (3,) and np.isfinite(by_scorer).all() and by_scorer.mean() > 0.3
    array = np.empty(24, dtype=object)
    array[:] = listed
    assert cross_val_score(search, array, shares, cv=folds) == pytest.approx(by_scorer)
    grid = GridSearchCV(search, {"maximum_size": [6]}, cv=folds, scoring=tau).fit(listed, shares)
    assert grid.best_estimator_.predict(listed[:2]).shape == (2,)
    assert not caplog.records


def test_what_is_fitted_can_be_pickled_without_its_networks(
    search: zcproxy.ProxySearch, listed: list[Any], shares: Any
) -> None:
    search.fit([lambda build=build: build() for build in listed], shares)
    again = pickle.loads(pickle.dumps(search))
    assert np.array_equal(again.predict(listed), search.predict(listed))


def test_labels_by_name_and_losses(search: zcproxy.ProxySearch, models: Models, trained: pd.DataFrame) -> None:
    labels = trained.set_index("architecture")["accuracy"]
    search.fit(models, labels)
    better = search.score(models, labels)
    losses = clone(search).set_params(lower_is_better=True).fit(models, 1 - labels)
    assert losses.score(models, 1 - labels) == pytest.approx(better)
    assert np.array_equal(losses.predict(models), search.predict(models))


def test_samples_and_their_shape_come_from_the_data(
    search: zcproxy.ProxySearch, listed: list[Any], shares: Any
) -> None:
    data = (torch.randn(40, 1, 6, 6), torch.arange(40) % 10)
    search.set_params(data=data, input_shape=None, probes=("data",)).fit(listed, shares)
    assert np.isfinite(search.predict(listed[1::2])).all()
    assert search.predict(listed[:3]).tolist() == search.predict(listed)[:3].tolist()


def test_families_count_beside_the_networks_of_the_user(
    search: zcproxy.ProxySearch, listed: list[Any], shares: Any
) -> None:
    search.set_params(families="digits201").fit(listed, shares)
    assert search.expected_ is None
    assert search.front_["families_tau"].between(-1, 1).all() and search.front_["chosen"].sum() == 1
    assert search.best_.provenance["configuration"]["tasks"][1:] == ["digits201"]
    assert len(set(search.best_.provenance["configuration"]["goals"])) == 2
    assert np.isfinite(search.predict(listed)).all()


def test_many_labels_evolve_as_an_ordinary_run(
    search: zcproxy.ProxySearch, listed: list[Any], shares: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zcproxy.discovery.fit.FEW", 20)
    search.fit(listed, shares)
    assert search.expected_ is None and "families_tau" not in search.front_
    assert search.best_.provenance["configuration"]["networks"] == 24
    assert [epoch.part for epoch in search.epochs_] == ["all labels"]


def test_a_callback_sees_every_epoch_and_may_stop_it(
    search: zcproxy.ProxySearch, listed: list[Any], shares: Any
) -> None:
    seen: list[Epoch] = []
    search.set_params(callback=seen.append).fit(listed, shares)
    assert tuple(seen) == search.epochs_
    assert [epoch.part for epoch in seen] == [*(f"split {number} of 9" for number in range(1, 10)), "all labels"]
    assert [epoch.number for epoch in seen] == list(range(1, 11))
    assert all(-1 <= epoch.training_tau <= 1 and epoch.seconds >= 0 for epoch in seen)
    assert math.isnan(seen[-1].validation_tau) and not math.isnan(seen[0].validation_tau)
    stopped = clone(search).set_params(callback=lambda epoch: True).fit(listed, shares)
    assert [epoch.part for epoch in stopped.epochs_] == ["split 1 of 9", "split 2 of 9", "split 3 of 9", "all labels"]
    assert [epoch.training_tau for epoch in stopped.epochs_[:3]] == [epoch.training_tau for epoch in seen[:3]]
    assert math.isfinite(stopped.score(listed, shares))


def test_a_callback_stops_an_ordinary_run_as_a_limit_does(
    search: zcproxy.ProxySearch, listed: list[Any], shares: Any
) -> None:
    search.set_params(families="digits201", generations=15)
    stopped = clone(search).set_params(callback=lambda epoch: epoch.number == 2).fit(listed, shares)
    assert [epoch.generations for epoch in stopped.epochs_] == [5, 10]
    shorter = clone(search).set_params(generations=10).fit(listed, shares)
    assert stopped.front_.equals(shorter.front_)


@pytest.mark.parametrize(
    ("callback", "reason"),
    [
        (lambda epoch: 1 / 0, "ZeroDivisionError: division by zero"),
        (lambda epoch: setattr(epoch, "formula", "depth"), "FrozenInstanceError: cannot assign to field 'formula'"),
        (lambda: True, "TypeError: "),
    ],
)
def test_a_callback_that_raises_or_writes_into_what_it_is_given_is_one_line(
    search: zcproxy.ProxySearch, listed: list[Any], shares: Any, callback: Any, reason: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"the callback failed after epoch 1: {reason}") as refused:
        search.set_params(callback=callback).fit(listed, shares)
    assert "\n" not in str(refused.value)
    assert ("test_estimator.py, line" in str(refused.value)) == (not reason.startswith("TypeError"))


def test_epochs_are_logged_and_shown_if_wanted(
    search: zcproxy.ProxySearch,
    listed: list[Any],
    shares: Any,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    search.fit(listed, shares)
    assert capsys.readouterr() == ("", "")
    search.set_params(verbose=1).fit(listed, shares)
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("zcproxy: epoch ") == 10
    with caplog.at_level(logging.INFO, "zcproxy"):
        search.fit(listed, shares)
    assert capsys.readouterr().err == "" and sum(" of 9, " in message for message in caplog.messages) == 9


def test_networks_that_fail_are_named_by_place_and_the_others_go_on(
    search: zcproxy.ProxySearch, listed: list[Any], shares: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> nn.Module:
        raise RuntimeError("no such layer")

    labels = shares.copy()
    labels[5] = np.nan
    given = [*listed[:3], broken, *listed[4:]]
    with caplog.at_level(logging.WARNING, "zcproxy"):
        search.fit(given, labels)
    assert search.n_networks_ == 22 and list(search.left_out_) == [3]
    assert "cannot be built: no such layer" in search.left_out_[3]
    assert "23 networks are left" in caplog.text and "left out, 22 networks are left: 'broken " in caplog.text
    assert "left out by place: models[3]" in caplog.text
    scores = search.predict(given)
    assert scores[3] == -np.inf and np.array_equal(np.delete(scores, 3), search.predict([*given[:3], *given[4:]]))
    assert np.isfinite(scores[1::2][[0, *range(2, 12)]]).all()
    assert math.isfinite(search.score(given, labels))
    with pytest.raises(BenchmarkError, match=r"0 of 1 networks can be used, 1 are needed; .* no such layer"):
        search.predict([broken])


def test_equal_builders_are_networks_of_their_own(search: zcproxy.ProxySearch, listed: list[Any], shares: Any) -> None:
    search.fit([*listed, listed[0]], [*shares, shares[0]])
    assert search.n_networks_ == 25
    assert search.predict([listed[1], listed[1]]).shape == (2,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda models, labels: (models, labels[:-2]), "24 models and 22 accuracies: give one accuracy per model"),
        (lambda models, labels: (models, None), "`y` is missing: give one accuracy per model"),
        (lambda models, labels: (models, {"a": 1.0}), "`y` has names and `models` have none"),
        (lambda models, labels: (models, labels.reshape(12, 2)), "`accuracies` is not one number per model"),
        (lambda models, labels: (models, np.full(24, np.nan)), "none of the 24 networks has a number for a label"),
        (lambda models, labels: (models[:9], labels[:9]), "9 of 9 networks can be used, 16 are needed"),
        (lambda models, labels: (np.zeros((24, 2)), labels), "`models` is an array of 2 dimensions: give a list"),
        (lambda models, labels: (np.zeros(24), labels), "the model '0' is a float"),
        (lambda models, labels: ([], []), "`models` is empty"),
    ],
)
def test_bad_input_is_one_line(
    search: zcproxy.ProxySearch, listed: list[Any], shares: Any, change: Callable[..., Any], message: str
) -> None:
    with pytest.raises(BenchmarkError, match=message) as refused:
        search.fit(*change(listed, shares))
    assert "\n" not in str(refused.value) and not search.__sklearn_is_fitted__()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"generations": 0}, "generations=0 is not a whole number from 1 on"),
        ({"generations": None}, "generations=None is not a whole number"),
        ({"island_size": 2.5}, "island_size=2.5 is not a whole number"),
        ({"random_state": "x"}, "random_state=x is not a whole number from 0 on"),
        ({"n_jobs": 0}, "n_jobs=0 is not a whole number"),
        ({"families": "flowers"}, "flowers"),
        ({"families": [3]}, "are not names"),
        ({"input_shape": None}, "`input_shape` is missing"),
        ({"input_shape": 3}, "input_shape=3 is not the shape of a sample"),
        ({"probes": ("light",)}, "light"),
        ({"device": "abacus"}, "abacus"),
    ],
)
def test_an_argument_that_makes_no_sense_is_named(
    search: zcproxy.ProxySearch, listed: list[Any], shares: Any, changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(ZcproxyError, match=re.escape(message)) as refused:
        search.set_params(**changed).fit(listed, shares)
    assert "\n" not in str(refused.value)


def test_an_unknown_parameter_is_named_and_nothing_is_set() -> None:
    search = zcproxy.ProxySearch()
    with pytest.raises(ConfigurationError, match=r"generation'.*did you mean generations"):
        search.set_params(maximum_size=3, generation=3)
    assert search.maximum_size == Effort().maximum_size


def test_what_is_not_fitted_says_so() -> None:
    for use in (partial(zcproxy.ProxySearch().predict, []), partial(zcproxy.ProxySearch().score, [], [])):
        with pytest.raises(NotFittedError, match=r"this ProxySearch is not fitted: call fit\(models, y\)") as refused:
            use()
        assert isinstance(refused.value, ConfigurationError)


def test_the_defaults_are_those_of_discover() -> None:
    effort, search = Effort(), zcproxy.ProxySearch()
    for name in ("generations", "islands", "island_size", "maximum_size", "probes"):
        assert getattr(search, name) == getattr(effort, name)
    assert repr(search) == "ProxySearch()"
    assert repr(search.set_params(generations=3)) == "ProxySearch(generations=3)"
