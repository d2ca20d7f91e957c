"""The published proxies against computations of their own, and what they cannot tell apart."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn

from direct_proxies import DIRECT
from direct_proxies.layers import expressivities
from direct_proxies.networks import NETWORKS, made
from zcproxy.benchmarks.nasbench201 import NASBench201Network, NASBench201Space
from zcproxy.benchmarks.nasbench201.encoding import to_text
from zcproxy.names.proxies import resolve_proxy
from zcproxy.primitives.zoo import NAMES

torch.set_num_threads(1)

WITHOUT_ATTENTION = {("softmax_confidence", network) for network in ("plain", "cell")}
UNDEFINED = {("eznas_a", "attention"), ("eznas_a_text", "attention")} | WITHOUT_ATTENTION
"""No square maps behind a ReLU; no attention."""


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("name", NAMES)
def test_a_published_proxy_equals_a_direct_computation(name: str, network: str) -> None:
    model, inputs, targets = made(network)
    model, inputs = model.double(), inputs.double()
    score = resolve_proxy(name)(model, inputs, targets)
    assert math.isnan(score) == ((name, network) in UNDEFINED)
    digits = 1e-6 if name in ("near", "dss") else 1e-9  # singular values below 1e-8 of the largest are lost
    assert score == pytest.approx(DIRECT[name](model, inputs, targets), rel=digits, abs=1e-14, nan_ok=True)


CELLS = {
    "plain": ("nor_conv_3x3", "skip_connect", "nor_conv_1x1", "nor_conv_1x1", "avg_pool_3x3", "nor_conv_3x3"),
    "chain": ("nor_conv_3x3", "none", "nor_conv_1x1", "none", "none", "nor_conv_3x3"),
    "chain that ends with a pool": ("nor_conv_1x1", "none", "none", "none", "avg_pool_3x3", "none"),
    "node that all paths meet in": ("nor_conv_3x3", "none", "nor_conv_1x1", "none", "skip_connect", "avg_pool_3x3"),
    "dead convolution": ("skip_connect", "nor_conv_3x3", "none", "none", "avg_pool_3x3", "none"),
    "pools": ("avg_pool_3x3", "skip_connect", "none", "none", "avg_pool_3x3", "skip_connect"),
    "two skips": ("skip_connect", "none", "none", "skip_connect", "skip_connect", "none"),
    "one skip": ("none", "skip_connect", "none", "none", "none", "skip_connect"),
}
"""Operations of cells with and without convolution, in the order of their edges."""


@pytest.mark.parametrize("cell", CELLS)
def test_parts_of_az_nas_are_those_of_stem_and_cells(cell: str) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(6)
        model = NASBench201Network(to_text(CELLS[cell]), 5, channels=4).double()
    inputs, targets = torch.zeros(8, 3, 16, 16).double(), torch.arange(8) % 5
    assert len(expressivities(model, inputs)) == 18
    for name in ("az_expressivity", "az_progressivity", "az_trainability"):
        score = resolve_proxy(name)(model, inputs, targets)
        assert score == pytest.approx(DIRECT[name](model, inputs, targets), rel=1e-9, abs=1e-12)


def test_few_units_make_few_linear_regions() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        layers = [nn.Flatten(), nn.Linear(768, 3), nn.ReLU(), nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 5)]
    model, (_, inputs, targets) = nn.Sequential(*layers), made("plain")
    score = resolve_proxy("linear_regions")(model, inputs, targets)
    assert score == DIRECT["linear_regions"](model, inputs, targets) < len(inputs)


@pytest.mark.parametrize("name", NAMES)
def test_single_precision_is_enough(name: str) -> None:
    model, inputs, targets = made("cell")
    score = resolve_proxy(name)(model, inputs, targets)
    precise = resolve_proxy(name)(copy.deepcopy(model).double(), inputs.double(), targets)
    assert score == pytest.approx(precise, rel=1e-4, nan_ok=(name, "cell") in UNDEFINED)


def test_dead_parts_of_a_network_do_not_change_zen() -> None:
    """Its weights are redrawn, so that initialisation has no part in it."""
    cell = "|nor_conv_3x3~0|+|nor_conv_1x1~0|none~1|+|skip_connect~0|none~1|avg_pool_3x3~2|"
    pruned = NASBench201Space().prune(cell)
    _, inputs, targets = made("cell")
    first, second = (
        resolve_proxy("zen")(NASBench201Network(text, 5, channels=4, cells=2), inputs, targets)
        for text in (cell, pruned)
    )
    assert pruned != cell and first == second
