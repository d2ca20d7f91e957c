"""Trains one network and says how accurate it is after every epoch."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn import functional as F

from zcproxy.contracts.dataset import ImageDataset
from zcproxy.random import derive_seed
from zcproxy.training.augmentation import augmentation
from zcproxy.training.recipe import Recipe

EVALUATION_BATCH = 500


@dataclass
class Training:
    """The result of a training; the lists have one number per epoch, and end early where it diverged.

    Attributes:
        train_loss: mean cross-entropy over the epoch's minibatches.
        test_accuracy: percent of the test images.
        diverged: the loss was not a finite number any more.
    """

    train_loss: list[float] = field(default_factory=list)
    test_accuracy: list[float] = field(default_factory=list)
    diverged: bool = False

    @property
    def accuracy(self) -> float:
        """Test accuracy after the last epoch in percent; NaN where the training diverged."""
        return math.nan if self.diverged else self.test_accuracy[-1]


def train(network: nn.Module, dataset: ImageDataset, recipe: Recipe, seed: int, device: str = "cpu") -> Training:
    """Train a network in place.

    Args:
        network: freshly initialised; gives samples x classes logits.
        dataset: what to train and test on.
        recipe: how.
        seed: seed of the order of the images and their augmentation.
        device: `cpu` or `cuda`.
    """
    network = network.to(device).train()
    optimiser = torch.optim.SGD(
        network.parameters(),
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        nesterov=recipe.momentum > 0,
        weight_decay=recipe.weight_decay,
    )
    batches = max(len(dataset.train_targets) // recipe.batch_size, 1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, recipe.epochs * batches)
    augment = augmentation(recipe.augmentation)
    generator = torch.Generator().manual_seed(derive_seed("training", seed))
    result = Training()
    for _ in range(recipe.epochs):
        order = torch.randperm(len(dataset.train_targets), generator=generator)
        losses = []
        for step in range(batches):
            chosen = order[step * recipe.batch_size : (step + 1) * recipe.batch_size]
            images = augment(dataset.train_inputs[chosen], generator).to(device)
            loss = F.cross_entropy(network(images), dataset.train_targets[chosen].to(device))
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            losses.append(loss.detach())
        result.train_loss.append(float(torch.stack(losses).mean()))
        if not math.isfinite(result.train_loss[-1]):
            result.diverged = True
            return result
        result.test_accuracy.append(accuracy_of(network, dataset, device))
    return result


@torch.no_grad()
def accuracy_of(network: nn.Module, dataset: ImageDataset, device: str) -> float:
    """Return the share of test images that a network gets right, in percent. Leaves it in training mode."""
    network.eval()
    right = 0
    for start in range(0, len(dataset.test_targets), EVALUATION_BATCH):
        part = slice(start, start + EVALUATION_BATCH)
        classes = network(dataset.test_inputs[part].to(device)).argmax(1).cpu()
        right += int((classes == dataset.test_targets[part]).sum())
    network.train()
    return 100.0 * right / len(dataset.test_targets)
