"""Minibatches of any task: of the user's images, of what is at hand, or of none where no pixel is looked at."""

from __future__ import annotations

from typing import Protocol

import torch

from zcproxy.contracts.batch import noise_inputs
from zcproxy.contracts.task import Batch
from zcproxy.images.image_sets import BROUGHT, NOISE, OWN, ImageSet
from zcproxy.images.own import own_batch, own_image_set


class Shown(Protocol):
    """A source of minibatches: a task, a super-network, a space with an input shape."""

    name: str
    input_shape: tuple[int, ...]
    classes: int

    def batch(self, size: int) -> Batch:
        """Return a minibatch."""
        ...


def images_of(task: Shown, chosen: str = "") -> ImageSet:
    """Return what minibatches of a task are made of.

    Args:
        task: the task; one that has a choice itself has the methods `image_set` and `batch_of`.
        chosen: token of an `ImageSet`, of the user's images for example; empty for what is at hand.

    Raises:
        BenchmarkError: the images are not at hand any more.
    """
    if chosen.partition(" ")[0] == OWN:
        return own_image_set(chosen)
    if hasattr(task, "image_set"):
        return task.image_set(chosen)
    if getattr(task, "shows_noise", False):
        return ImageSet(NOISE, "Gaussian noise", "to use others, give `images`")
    return ImageSet(BROUGHT, f"those of {task.name}")


def minibatch(task: Shown, size: int, chosen: str = "") -> Batch:
    """Return the first `size` images of a task, or of the user. Arguments and errors as those of `images_of`."""
    if chosen.partition(" ")[0] == OWN:
        return own_batch(chosen, task.input_shape, task.classes, size)
    if hasattr(task, "batch_of"):
        return task.batch_of(size, chosen)
    return task.batch(size)


def blank_batch(input_shape: tuple[int, ...], size: int, vocabulary: int = 0) -> Batch:
    """Return a minibatch for probes that take the shape of the inputs alone: noise, and class 0.

    The noise is Gaussian, or random token ids where there is a vocabulary.
    """
    inputs = noise_inputs((size, *input_shape), torch.Generator().manual_seed(0), vocabulary)
    return Batch(inputs, torch.zeros(size, dtype=torch.int64))
