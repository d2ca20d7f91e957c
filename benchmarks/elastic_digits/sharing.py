"""Trains the shared weights: in every step the largest sub-network, the smallest, and some between.

The sandwich rule with in-place distillation (J. Yu, T. Huang: Universally Slimmable Networks and Improved Training
Techniques, ICCV 2019, arXiv 1903.05134): the largest learns from the classes, the others from its outputs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from zcproxy.contracts.dataset import ImageDataset
from zcproxy.contracts.super_network import SuperNetwork, slices_of
from zcproxy.random import derive_seed, generator
from zcproxy.workers.progress import Progress, silent

EPOCHS, BATCH, LEARNING_RATE, WEIGHT_DECAY = 20, 100, 0.1, 1e-4
BETWEEN = 2
"""Random sub-networks a step."""


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
    smallest = super_network.encode({name: options[0] for name, options in super_network.choices.items()})
    largest = super_network.encode({name: options[-1] for name, options in super_network.choices.items()})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(super_network.name, "shared weights"))
        shared = {name: nn.Parameter(value.detach()) for name, value in super_network.build(largest).named_parameters()}
        rng = generator(super_network.name, "sandwich")
        batches = len(dataset.train_targets) // BATCH
        optimiser = torch.optim.SGD(
            shared.values(), LEARNING_RATE, momentum=0.9, nesterov=True, weight_decay=WEIGHT_DECAY
        )
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs * batches)
        for epoch in range(epochs):
            progress(epoch, epochs)
            for chosen in torch.split(torch.randperm(len(dataset.train_targets)), BATCH):
                inputs, targets = dataset.train_inputs[chosen], dataset.train_targets[chosen]
                optimiser.zero_grad()
                logits = _logits(super_network, largest, shared, inputs)
                F.cross_entropy(logits, targets).backward()  # type: ignore[no-untyped-call]
                taught = logits.detach().softmax(dim=1)
                for architecture in (smallest, *(super_network.sample(rng) for _ in range(BETWEEN))):
                    loss = F.cross_entropy(_logits(super_network, architecture, shared, inputs), taught)
                    loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                schedule.step()
        progress(epochs, epochs)
    return {name: value.detach() for name, value in shared.items()}


def _logits(super_network: SuperNetwork, architecture: str, shared: dict[str, nn.Parameter], inputs: Tensor) -> Tensor:
    network = super_network.build(architecture)
    logits: Tensor = functional_call(network, slices_of(shared, network), (inputs,))
    return logits
