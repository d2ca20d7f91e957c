"""Training recipe: every setting that an accuracy depends on besides architecture, data and seed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from zcproxy.errors import ConfigurationError
from zcproxy.training.augmentation import augmentation


@dataclass(frozen=True)
class Recipe:
    """Stochastic gradient descent with Nesterov momentum and a cosine schedule to zero, one step per minibatch.

    Cross-entropy on all training images; no early stopping and no choice of an epoch: the label is the test accuracy
    after the last one.

    Attributes:
        epochs: passes over the training images.
        batch_size: images of a step; a last, smaller minibatch is left out.
        learning_rate: learning rate of the first step.
        momentum: Nesterov's.
        weight_decay: L2, on all parameters.
        augmentation: one of `zcproxy.training.augmentation.AUGMENTATIONS`.
    """

    epochs: int = 3
    batch_size: int = 64
    learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    augmentation: str = "none"

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 2:
            raise ConfigurationError("`epochs` must be 1 or more and `batch_size` 2 or more")
        if not 0 < self.learning_rate < math.inf:  # False for NaN too
            raise ConfigurationError("`learning_rate` must be positive")
        if not 0 <= self.weight_decay < math.inf or not 0 <= self.momentum < 1:
            raise ConfigurationError("`weight_decay` must be 0 or more, and the momentum from 0 to below 1")
        augmentation(self.augmentation)
