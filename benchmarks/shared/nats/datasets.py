"""The three datasets of NAS-Bench-201 and NATS-Bench."""

from __future__ import annotations

from dataclasses import dataclass

from zcproxy.images.published import Images


@dataclass(frozen=True)
class Dataset:
    """A dataset.

    Attributes:
        column: how the tables abbreviate its name.
        classes: number of classes.
        images: what networks are shown.
    """

    column: str
    classes: int
    images: Images


DATASETS = {
    "cifar10": Dataset("cifar10", 10, Images("cifar10", 32)),
    "cifar100": Dataset("cifar100", 100, Images("cifar100", 32)),
    "imagenet16-120": Dataset("imagenet16", 120, Images("imagenet16-120", 16)),
}
