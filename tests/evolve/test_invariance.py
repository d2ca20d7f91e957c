"""Networks measured under other conditions, and what a formula loses that ranks them otherwise there."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from zcproxy.columns.context import Context
from zcproxy.columns.sweep import sweep
from zcproxy.columns.table import ColumnTable
from zcproxy.correlation import PairwiseTau
from zcproxy.errors import ConfigurationError
from zcproxy.evolve import Configuration, Limits, evolve
from zcproxy.evolve.fitness import WORST, FitnessFunction
from zcproxy.evolve.invariance import CONDITIONS, VARIED_NETWORKS, Variation, conditions_of, varied_networks
from zcproxy.formula import Node
from zcproxy.names.tasks import get_task
from zcproxy.primitives import parse

SIZE = parse("total_params")
RNG = np.random.default_rng(5)


def table_of(scores: np.ndarray) -> ColumnTable:
    values: dict[Node, np.ndarray] = {SIZE: scores}
    return ColumnTable(np.ones(len(scores), np.intp), values)


def tau(scores: np.ndarray, labels: np.ndarray) -> float:
    return PairwiseTau(labels, credit_ties=False)(scores)


def test_tau_falls_by_what_it_is_lower_under_the_worst_condition() -> None:
    labels, scores = RNG.normal(size=40), RNG.normal(size=40)
    networks = RNG.permutation(40)[:25]
    noises = [RNG.normal(scale=scale, size=25) for scale in (0.3, 3.0)]
    others = [labels[networks] + 0.1 * noise for noise in noises] + [-labels[networks]]
    listed = [Variation(table_of(other), networks) for other in others]
    own = tau(scores[networks], labels[networks])
    expected = tau(scores, labels) + min(0.0, *(tau(other, labels[networks]) - own for other in others))
    found = FitnessFunction([table_of(scores)], [labels], variations=[listed])(SIZE)
    assert found.correlations == pytest.approx((expected,))
    assert found.worst == pytest.approx(expected)


def test_a_condition_under_which_tau_is_higher_earns_nothing() -> None:
    labels, networks = RNG.normal(size=30), np.arange(0, 30, 2)
    scores = RNG.normal(size=30)
    better = Variation(table_of(labels[networks]), networks)
    plain = FitnessFunction([table_of(scores)], [labels])(SIZE)
    found = FitnessFunction([table_of(scores)], [labels], variations=[[better]])(SIZE)
    assert found.correlations == plain.correlations


def test_each_task_falls_by_its_own_conditions() -> None:
    labels = [RNG.normal(size=size) for size in (20, 24)]
    scores = [values + 0.1 * RNG.normal(size=len(values)) for values in labels]
    turned = Variation(table_of(-labels[1]), np.arange(24))
    tables = list(map(table_of, scores))
    plain = FitnessFunction(tables, labels)(SIZE)
    found = FitnessFunction(tables, labels, variations=[[], [turned]])(SIZE)
    assert found.correlations[0] == plain.correlations[0]
    assert found.correlations[1] == pytest.approx(-1.0)


def test_a_formula_that_is_undefined_under_a_condition_is_worst_there() -> None:
    labels = RNG.normal(size=20)
    undefined = Variation(table_of(np.full(20, np.nan)), np.arange(20))
    found = FitnessFunction([table_of(labels)], [labels], variations=[[undefined]])(SIZE)
    assert found.correlations == pytest.approx((WORST,))


def test_an_epoch_that_sees_fewer_networks_compares_those() -> None:
    networks = np.array([1, 4, 6, 9])
    kept = np.array([9, 2, 4, 0])
    found = Variation(table_of(np.array([10.0, 40.0, 60.0, 90.0])), networks).within(kept)
    assert found.networks.tolist() == [2, 0]
    assert found.table.values[SIZE].tolist() == [40.0, 90.0]


def test_conditions_change_what_they_say_and_nothing_else() -> None:
    context = Context(get_task("digits201"))
    architecture = get_task("digits201").architectures("all")[0]
    resolution, classes, batch, initialisation = conditions_of(context, list(CONDITIONS))
    channels, height, width = context.task.input_shape
    doubled = (channels, 2 * height, 2 * width)
    assert resolution.task.input_shape == doubled
    assert resolution.task.classes == context.task.classes
    assert (classes.task.input_shape, classes.task.classes) == (context.task.input_shape, 100)
    assert (batch.batch_size, batch.task) == (16, context.task)
    assert (initialisation.initialisation, initialisation.task) == (1, context.task)
    for each in (resolution, classes):
        shown = each.task.batch(4)
        assert each.task.build(architecture).eval()(shown.inputs).shape == (4, each.task.classes)
        assert torch.equal(shown.targets, context.task.batch(4).targets % each.task.classes)
    keys = {each.key for each in (context, resolution, classes, batch, initialisation)}
    assert len(keys) == 5
    sent = pickle.loads(pickle.dumps(resolution))
    assert (sent, sent.key, sent.task.input_shape) == (resolution, resolution.key, doubled)


def test_columns_of_another_resolution_are_those_of_the_network_at_that_size(tmp_path: Path) -> None:
    context = Context(get_task("digits201"))
    (other,) = conditions_of(context, ["resolution"])
    names = list(get_task("digits201").architectures("all")[:4])
    params, macs = parse("total_params"), parse("total_macs")
    here = sweep(context, names, [params, macs], cache=tmp_path)
    there = sweep(other, names, [params, macs], cache=tmp_path)
    np.testing.assert_array_equal(here.values[params], there.values[params])
    assert (there.values[macs] > 3 * here.values[macs]).all()


def test_inputs_that_are_no_images_have_no_resolution() -> None:
    task = get_task("digits201")

    class Tokens(type(task)):  # type: ignore[misc]
        input_shape = (16,)

    tokens = Tokens.__new__(Tokens)
    tokens.__dict__ = {**task.__dict__, "input_shape": (16,)}
    with pytest.raises(ConfigurationError, match=r"invariance=resolution: inputs of the task digits201 are not images"):
        conditions_of(Context(tokens), ["resolution"])


def test_networks_under_other_conditions_are_spread_over_all() -> None:
    names = [str(number) for number in range(400)]
    found = varied_networks(names)
    assert len(found) == VARIED_NETWORKS
    assert found[:3] == ("0", "4", "8")
    assert varied_networks(names[:30]) == tuple(names[:30])


def test_a_run_is_the_same_with_two_workers(small: Configuration, column_cache: Path, tmp_path: Path) -> None:
    configuration = replace(small, invariance=("resolution", "initialisation"), resampled=0.8)
    halls = []
    for workers in (1, 2):
        out = tmp_path / str(workers)
        evolve(configuration, Limits(generations=4), out, workers=workers, cache=column_cache)
        halls.append(json.loads((out / "checkpoint.json").read_text())["hall"])
    assert halls[0] == halls[1]
    plain = tmp_path / "plain"
    evolve(replace(configuration, invariance=()), Limits(generations=4), plain, cache=column_cache)
    assert json.loads((plain / "checkpoint.json").read_text())["hall"] != halls[0]
