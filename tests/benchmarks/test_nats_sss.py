"""The size space of NATS-Bench against its published table."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from zcproxy.benchmarks.nats_sss import NATSSizeSpace
from zcproxy.benchmarks.nats_sss.space import WIDTHS
from zcproxy.contracts.task import SearchSpace, Task
from zcproxy.correlation import kendall_tau
from zcproxy.errors import BenchmarkError
from zcproxy.names.spaces import get_space
from zcproxy.names.tasks import get_task

SPACE = NATSSizeSpace()
TASKS = ("nats_sss/cifar10", "nats_sss/cifar100", "nats_sss/imagenet16-120")


def conforms(space: SearchSpace, task: Task) -> None:
    """Checked by mypy: the classes implement the engine's protocols."""


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("name", TASKS)
def test_parameters_of_all_networks(name: str, real_data: Path) -> None:
    # A network is a chain whose parts depend on two widths each, so every part is built, and the parts are added up.
    task = get_task(name)
    conforms(task.space, task)
    stem, tail, cells, reductions = {}, {}, {}, {}
    with torch.device("meta"):
        for first in WIDTHS:
            for second in WIDTHS:
                network = list(task.build(f"{first}:{first}:{second}:{first}:{second}").children())
                stem[first] = parameters(nn.Sequential(*network[:2]))
                tail[second] = parameters(nn.Sequential(*network[7:]))
                cells[first, second] = parameters(network[4])
                reductions[second, first] = parameters(network[5])
    architectures = task.architectures("all")
    expected = []
    for architecture in architectures:
        a, b, c, d, e = map(int, architecture.split(":"))
        chain = cells[a, a] + reductions[a, b] + cells[b, c] + reductions[c, d] + cells[d, e]
        expected.append(stem[a] + chain + tail[e])
    assert len(expected) == 32_768
    np.testing.assert_array_equal(task.baselines(architectures)["params"], expected)
    for architecture in random.Random(0).sample(architectures, 20):
        with torch.device("meta"):
            assert parameters(task.build(architecture)) == expected[architectures.index(architecture)]


@pytest.mark.parametrize("architecture", ["8:8:8:8:8", "64:64:64:64:64", "8:64:16:40:24", "24:16:16:56:48"])
def test_multiply_adds_are_those_of_the_network(architecture: str) -> None:
    counted = 0

    def count(module: nn.Module, _: object, output: torch.Tensor) -> None:
        nonlocal counted
        assert isinstance(module, nn.Conv2d | nn.Linear)
        counted += output.shape[1:].numel() * (module.weight[0].numel() + (module.bias is not None))

    network = SPACE.build(architecture, (3, 16, 16), 7)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(count)
    logits = network(torch.randn(2, 3, 16, 16))
    assert logits.shape == (2, 7)
    assert counted == SPACE.macs(architecture, (3, 16, 16), 7)


def test_the_text_is_the_official_one_in_the_official_order(real_data: Path) -> None:
    architectures = get_task(TASKS[0]).architectures("all")
    assert list(SPACE.enumerate()) == list(architectures)
    assert SPACE.size == len(architectures)
    assert all(SPACE.parse(f" {architecture}\n") == architecture for architecture in architectures[::97])
    assert SPACE.sample(random.Random(3)) in architectures
    assert len(SPACE.neighbours("8:16:24:32:40")) == 35


def test_labels_rank_larger_networks_higher(real_data: Path) -> None:
    for name in TASKS:
        task = get_task(name)
        networks = task.architectures("all")[::30]
        labels = task.labels(networks)
        assert 10 < labels.min() < labels.max() < 95
        assert kendall_tau(task.baselines(networks)["params"], labels) > 0.5


@pytest.mark.parametrize("text", ["", "8:8:8:8", "8:8:8:8:8:8", "8:8:8:8:9", "8:8:8:8:-8", "|none~0|"])
def test_text_of_another_space(text: str) -> None:
    with pytest.raises(BenchmarkError, match=r"is not an architecture of nats_sss: write 5 widths joined by ':'"):
        SPACE.parse(text)


def test_the_space_has_a_name() -> None:
    assert isinstance(get_space("nats_sss"), NATSSizeSpace)
