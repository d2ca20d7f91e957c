"""The tasks of NDS: rank the networks of a family by test accuracy on ImageNet or CIFAR-10."""

from __future__ import annotations

from functools import cache

from zcproxy.benchmarks.nds.cells import LARGEST_SMALL_IMAGE
from zcproxy.benchmarks.nds.entries import space_of
from zcproxy.benchmarks.nds.labels import FILES
from zcproxy.benchmarks.shared.table_task import TableTask
from zcproxy.errors import BenchmarkError
from zcproxy.images.published import Images

DATASETS = tuple(FILES)
SIDE = 64
"""Height and width of the images that ImageNet networks are probed with; they were trained on 224."""


@cache
def load_task(dataset: str, side: int | None = None) -> TableTask:
    """Return a task, such as `darts-imagenet`.

    Args:
        dataset: one of `DATASETS`.
        side: height and width of the images instead of `SIDE`; CIFAR-10 images have 32.

    Raises:
        BenchmarkError: `side` is so small that the networks would be those of CIFAR-10.
    """
    file = FILES[dataset]
    if side is not None and side <= LARGEST_SMALL_IMAGE:
        raise BenchmarkError(
            f"nds/{dataset}@{side}: images of {LARGEST_SMALL_IMAGE} pixels and less get the stem of CIFAR-10 "
            "networks: give a larger side"
        )
    name, classes = f"nds/{dataset}{f'@{side}' if side else ''}", 1000 if file.imagenet else 10
    images = Images("imagenet", side or SIDE) if file.imagenet else Images("cifar10", side or LARGEST_SMALL_IMAGE)
    return TableTask(name, space_of(file.family), file.source, "accuracy", images, classes)
