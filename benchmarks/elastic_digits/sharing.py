"""Trains the shared weights by the sandwich rule."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zcproxy.contracts.dataset import ImageDataset
from zcproxy.contracts.super_network import SuperNetwork
from zcproxy.random import derive_seed, generator
from zcproxy.training.sandwich import train_sandwich
from zcproxy.workers.progress import Progress, silent

EPOCHS, BATCH, LEARNING_RATE, WEIGHT_DECAY = 20, 100, 0.1, 1e-4


def train_shared(
    super_network: SuperNetwork, dataset: ImageDataset, epochs: int = EPOCHS, progress: Progress = silent
) -> dict[str, Tensor]:
    """Return weights for the largest sub-network, which all others take slices of.

    Args:
        super_network: options of each choice go from small to large.
        dataset: its training images are used.
        epochs: passes over them.
        progress: told how many are done.
    """
    largest = super_network.encode({name: options[-1] for name, options in super_network.choices.items()})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(super_network.name, "shared weights"))
        shared = {name: nn.Parameter(value.detach()) for name, value in super_network.build(largest).named_parameters()}
        rng = generator(super_network.name, "sandwich")
        optimiser = torch.optim.SGD(
            shared.values(), LEARNING_RATE, momentum=0.9, nesterov=True, weight_decay=WEIGHT_DECAY
        )
        train_sandwich(
            *(super_network, shared, dataset, optimiser), epochs=epochs, batch_size=BATCH, rng=rng, progress=progress
        )
    return {name: value.detach() for name, value in shared.items()}
