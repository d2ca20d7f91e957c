"""Augmentations of a minibatch of images, by name."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from zcproxy.errors import check_known

Augmentation = Callable[[Tensor, torch.Generator], Tensor]


def augmentation(name: str) -> Augmentation:
    """Return the augmentation called `name`. Raises `ConfigurationError` if there is none."""
    check_known("augmentation", name, AUGMENTATIONS)
    return AUGMENTATIONS[name]


def _none(images: Tensor, _: torch.Generator) -> Tensor:
    return images


def _crop(images: Tensor, generator: torch.Generator) -> Tensor:
    """Shift each image by up to an eighth of its side along both axes; what comes in is zero, the mean."""
    samples, _, height, width = images.shape
    padding = max(height // 8, 1)
    padded = F.pad(images, (padding,) * 4)
    top, left = torch.randint(0, 2 * padding + 1, (2, samples), generator=generator)
    rows = top[:, None, None] + torch.arange(height)[None, :, None]
    columns = left[:, None, None] + torch.arange(width)[None, None, :]
    return padded[torch.arange(samples)[:, None, None], :, rows, columns].permute(0, 3, 1, 2).contiguous()


def _crop_flip(images: Tensor, generator: torch.Generator) -> Tensor:
    """Shift, and mirror every other image: the standard augmentation of CIFAR (He et al., CVPR 2016, section 4.2)."""
    mirrored = torch.rand(len(images), generator=generator) < 0.5
    cropped = _crop(images, generator)
    return torch.where(mirrored[:, None, None, None], cropped.flip(-1), cropped)


AUGMENTATIONS: dict[str, Augmentation] = {"none": _none, "crop": _crop, "crop-flip": _crop_flip}
