"""Proxies inside of other tools."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from random import Random

import numpy as np
import pytest
import torch
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.optimize import minimize

from zcproxy import load_proxy
from zcproxy.adapters import ArchitectureProblem, SubNetworkEvaluator, measure
from zcproxy.benchmarks.elastic_digits import ElasticDigits
from zcproxy.errors import BenchmarkError
from zcproxy.models.costs import count_costs
from zcproxy.names.tasks import get_task
from zcproxy.search import Limit, Setting

SETTING = Setting("elastic_digits", formula="sum(log(params))")


def test_measure_scores_a_network_as_the_proxy_does() -> None:
    task = get_task("digits201")
    batch = task.batch(8)
    network = task.build("|nor_conv_3x3~0|+|none~0|skip_connect~1|+|skip_connect~0|none~1|nor_conv_1x1~2|")
    assert measure(network, batch.inputs, batch.targets, "cpu") == load_proxy("zc-general")(
        network, batch.inputs, batch.targets
    )
    assert measure(network, batch.inputs, None, proxy="total_params") == sum(p.numel() for p in network.parameters())


def test_pymoo_minimises_the_problem() -> None:
    problem = ArchitectureProblem(SETTING, ["macs"], [Limit("params", 8000.0)])
    result = minimize(problem, NSGA2(pop_size=12, **problem.operators()), ("n_gen", 3), seed=1)
    assert (result.G <= 0).all()
    space = ElasticDigits()
    for (architecture,), (score, macs) in zip(result.X, result.F, strict=True):
        costs = count_costs(space.build(architecture), space.input_shape)
        assert costs.macs == macs
        assert costs.params <= 8000
        assert score < 0


def test_a_vector_of_indices_is_a_sub_network() -> None:
    evaluator = SubNetworkEvaluator(SETTING, ["proxy", "macs"])
    assert evaluator.param_dict["width1"] == {"count": 1, "vars": list(ElasticDigits.choices["width1"])}
    vector = np.zeros(len(evaluator.param_dict))
    same, cost, macs = evaluator.eval_subnet(vector)
    smallest = ElasticDigits().build(
        ElasticDigits().encode({name: options[0] for name, options in ElasticDigits.choices.items()})
    )
    assert same == list(vector)
    assert macs == count_costs(smallest, (1, 12, 12)).macs
    layers = [m for m in smallest.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    expected = sum(torch.tensor(float(sum(p.numel() for p in layer.parameters()))).log() for layer in layers)
    assert -cost == pytest.approx(float(expected), rel=1e-5)


def test_a_problem_and_its_algorithm_can_be_pickled_and_go_on() -> None:
    problem = ArchitectureProblem(SETTING, ["macs"], [Limit("params", 8000.0)])
    operators = {name: pickle.loads(pickle.dumps(operator)) for name, operator in problem.operators().items()}
    algorithm = NSGA2(pop_size=8, **operators)
    algorithm.setup(problem, termination=("n_gen", 4), seed=1)
    algorithm.next()
    again = pickle.loads(pickle.dumps(algorithm))
    assert again.problem.evaluator.known == problem.evaluator.known
    for each in (algorithm, again):
        while each.has_next():
            each.next()
    np.testing.assert_array_equal(algorithm.result().F, again.result().F)
    looked_up = pickle.loads(pickle.dumps(ArchitectureProblem(SETTING, ["macs"], [])))
    assert looked_up.evaluator.values([str(problem.space.sample(Random(0)))], ["macs"])["macs"][0] > 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda vector: vector[:-1], "numbers is not a sub-network"),
        (lambda vector: [*vector[:-1], 0.7], "= 0.7 is not an option: the index is a whole number from 0 to"),
        (lambda vector: [-1, *vector[1:]], "= -1 is not an option"),
        (lambda vector: [99, *vector[1:]], "= 99 is not an option"),
        (lambda vector: [float("nan"), *vector[1:]], "= nan is not an option"),
        (lambda vector: [float("inf"), *vector[1:]], "= inf is not an option"),
        (lambda vector: [None, *vector[1:]], "= None is not an option"),
        (lambda vector: ["0", *vector[1:]], "= 0 is not an option"),
    ],
)
def test_a_vector_outside_is_refused(change: Callable[[list[float]], list[float]], message: str) -> None:
    evaluator = SubNetworkEvaluator(SETTING, ["macs"])
    with pytest.raises(BenchmarkError, match=message):
        evaluator.eval_subnet(change([0.0] * len(evaluator.param_dict)))


def test_a_space_without_independent_choices_has_no_vectors() -> None:
    with pytest.raises(BenchmarkError, match="is not a space of independent choices"):
        SubNetworkEvaluator(Setting("digits201"))
