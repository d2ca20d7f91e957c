"""Checks that any search space and any task has to pass, for the tests of those who write one.

    from zcproxy.testing import check_space

    def test_my_space():
        check_space(MySpace(), input_shape=(3, 32, 32), classes=10)

What is wrong is raised as an `AssertionError` that names the architecture.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from zcproxy.contracts.batch import noise_inputs
from zcproxy.contracts.task import SearchSpace, Task
from zcproxy.errors import BenchmarkError
from zcproxy.models.zeros import vocabulary_of
from zcproxy.random import generator

OUTSIDE = "no architecture of any space"


def check_space(
    space: SearchSpace, input_shape: tuple[int, ...], classes: int, *, samples: int = 5, seed: int = 0
) -> None:
    """Check the laws of a search space on some architectures of it.

    Sampling, mutation and crossover stay inside and depend on their generator alone; texts are canonical; neighbours
    are others, and mutual; pruning twice is pruning once, and keeps the equivalence class; building is deterministic,
    and the network runs forwards and backwards.

    Args:
        space: what to check.
        input_shape: shape of a sample, without the batch.
        classes: number of logits.
        samples: architectures to try.
        seed: seed of their draw.
    """
    assert space.size >= 1, f"{space.name}.size is {space.size}"
    drawn = [space.sample(generator("check", space.name, seed, number)) for number in range(samples)]
    again = [space.sample(generator("check", space.name, seed, number)) for number in range(samples)]
    assert drawn == again, f"{space.name}.sample depends on more than its generator"
    _raises(lambda: space.parse(OUTSIDE), f"{space.name}.parse takes {OUTSIDE!r}")
    listed = list(itertools.islice(space.enumerate(), samples))
    assert len(set(listed)) == len(listed) == min(samples, space.size), f"{space.name}.enumerate repeats or ends early"
    for architecture in dict.fromkeys([*drawn, *listed]):
        _check_variation(space, architecture, drawn[0])
    for architecture in drawn:
        check_network(partial(space.build, architecture, input_shape, classes), input_shape, classes)


def _check_variation(space: SearchSpace, architecture: str, mate: str) -> None:
    canonical = space.parse(architecture)
    assert canonical == architecture, f"{architecture!r} is not canonical: parse gives {canonical!r}"
    neighbours = space.neighbours(architecture)
    assert architecture not in neighbours, f"{architecture!r} is its own neighbour"
    assert len(set(neighbours)) == len(neighbours), f"a neighbour of {architecture!r} is named twice"
    for neighbour in neighbours[:: max(1, len(neighbours) // 5)]:
        assert space.parse(neighbour) == neighbour, f"the neighbour {neighbour!r} is not canonical"
        assert architecture in space.neighbours(neighbour), f"{architecture!r} is not a neighbour of {neighbour!r}"
    rng = generator("check", space.name, architecture)
    if neighbours:
        assert space.mutate(architecture, rng) in neighbours, f"mutate leads from {architecture!r} to no neighbour"
    child = space.crossover(architecture, mate, rng)
    assert space.parse(child) == child, f"the child {child!r} is not canonical"
    same = space.crossover(architecture, architecture, rng)
    assert same == architecture, f"{architecture!r} crossed with itself gives {same!r}"
    pruned = space.prune(architecture)
    assert space.prune(pruned) == pruned == space.parse(pruned), f"pruning {architecture!r} twice is not pruning once"
    kept = space.equivalence_class(pruned) == space.equivalence_class(architecture)
    assert kept, f"pruning {architecture!r} leads out of its equivalence class"


def check_network(build: Callable[[], nn.Module], input_shape: tuple[int, ...], classes: int) -> None:
    """Check that a network is the same for the same random state of torch, and runs forwards and backwards."""
    first, second = (_built(build) for _ in range(2))
    for (name, value), other in zip(first.state_dict().items(), second.state_dict().values(), strict=True):
        assert torch.equal(value, other), f"{name} differs between two networks built from one random state"
    inputs = noise_inputs((2, *input_shape), torch.Generator().manual_seed(0), vocabulary_of(first))
    logits = first.train()(inputs)
    assert logits.shape == (2, classes), f"the logits have shape {tuple(logits.shape)}, expected {(2, classes)}"
    if logits.requires_grad:
        logits.square().sum().backward()
    for name, parameter in first.named_parameters():
        finite = parameter.grad is None or bool(torch.isfinite(parameter.grad).all())
        assert finite, f"the gradient of {name} is not finite"


def check_task(task: Task, *, samples: int = 3, seed: int = 0) -> None:
    """Check a task: its space, labels, and that `params` among its baselines are those of the networks.

    Args:
        task: what to check.
        samples: architectures to build.
        seed: seed of their draw.
    """
    check_space(task.space, task.input_shape, task.classes, samples=samples, seed=seed)
    architectures = task.architectures("all")
    assert len(set(architectures)) == len(architectures), f"{task.name} names an architecture twice"
    labels = task.labels(architectures)
    assert labels.shape == (len(architectures),), f"{task.name} has {len(labels)} labels of {len(architectures)}"
    assert all(map(math.isfinite, labels)), f"{task.name} has a label that is not finite"
    assert (task.labels(architectures[::-1]) == labels[::-1]).all(), "labels do not follow the order asked for"
    _raises(lambda: task.labels([OUTSIDE]), f"{task.name} has a label of {OUTSIDE!r}")
    drawn = generator("check", task.name, seed).sample(list(architectures), min(samples, len(architectures)))
    for architecture, params in zip(drawn, task.baselines(drawn)["params"], strict=True):
        found = sum(parameter.numel() for parameter in task.build(architecture).parameters())
        assert found == params, f"{architecture!r} has {found} parameters, {task.name} says {params:.0f}"


def _built(build: Callable[[], nn.Module]) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build()


def _raises(call: Callable[[], object], message: str) -> None:
    try:
        call()
    except BenchmarkError:
        return
    raise AssertionError(message)
