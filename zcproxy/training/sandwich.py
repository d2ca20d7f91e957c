"""Trains shared weights: in every step the largest sub-network, the smallest, and some between.

The sandwich rule with in-place distillation (J. Yu, T. Huang: Universally Slimmable Networks and Improved Training
Techniques, ICCV 2019, arXiv 1903.05134): the largest learns from the classes, the others from its outputs.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from zcproxy.contracts.dataset import ImageDataset
from zcproxy.contracts.super_network import SuperNetwork, slices_of
from zcproxy.workers.progress import Progress, silent

BETWEEN = 2
"""Random sub-networks a step."""


def train_sandwich(
    super_network: SuperNetwork,
    shared: Mapping[str, nn.Parameter],
    dataset: ImageDataset,
    optimiser: torch.optim.Optimizer,
    *,
    epochs: int,
    batch_size: int,
    rng: random.Random,
    build: Callable[[str], nn.Module] | None = None,
    progress: Progress = silent,
) -> None:
    """Train shared weights in place, with a cosine schedule of the learning rate to zero.

    Args:
        super_network: options of each choice go from small to large.
        shared: weights of the largest sub-network, by name; all others take slices of them.
        dataset: its training samples are used, in an order from torch's random state.
        optimiser: of `shared`.
        epochs: passes over them.
        batch_size: samples of a step; a last, smaller minibatch is left out, unless it is the only one.
        rng: draws the random sub-networks.
        build: makes a sub-network whose weights do not matter; that of the super-network if None.
        progress: told how many epochs are done.
    """
    smallest = super_network.encode({name: options[0] for name, options in super_network.choices.items()})
    largest = super_network.encode({name: options[-1] for name, options in super_network.choices.items()})
    build = build or super_network.build
    samples = len(dataset.train_targets)
    batches = max(samples // batch_size, 1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(epochs, 1) * batches)
    for epoch in range(epochs):
        progress(epoch, epochs)
        for chosen in torch.split(torch.randperm(samples), batch_size)[:batches]:
            inputs, targets = dataset.train_inputs[chosen], dataset.train_targets[chosen]
            optimiser.zero_grad()
            logits = _logits(build(largest), shared, inputs)
            F.cross_entropy(logits, targets).backward()  # type: ignore[no-untyped-call]
            taught = logits.detach().softmax(dim=1)
            for architecture in (smallest, *(super_network.sample(rng) for _ in range(BETWEEN))):
                loss = F.cross_entropy(_logits(build(architecture), shared, inputs), taught)
                loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    progress(epochs, epochs)


def _logits(network: nn.Module, shared: Mapping[str, nn.Parameter], inputs: Tensor) -> Tensor:
    logits: Tensor = functional_call(network.train(), slices_of(shared, network), (inputs,))
    return logits
