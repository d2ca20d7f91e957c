"""Proxies inside of other tools."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.optimize import minimize

from zcproxy import load_proxy
from zcproxy.adapters import ArchitectureProblem, SubNetworkEvaluator, measure
from zcproxy.benchmarks import get_task
from zcproxy.benchmarks.costs import count_costs
from zcproxy.benchmarks.elastic_digits import ElasticDigits
from zcproxy.errors import BenchmarkError
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


def test_a_space_without_independent_choices_has_no_vectors() -> None:
    with pytest.raises(BenchmarkError, match="no space of independent choices"):
        SubNetworkEvaluator(Setting("digits201"))
