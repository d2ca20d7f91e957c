"""Datasets of the Hugging Face hub, or a local folder of one; needs the extra `huggingface`."""

from __future__ import annotations

import numpy as np

from zcproxy.benchmarks.datasets.own import Part, stack_images
from zcproxy.contracts.dataset import ImageDataset, dataset_of
from zcproxy.errors import BenchmarkError
from zcproxy.extras import extra


def load_huggingface(name: str) -> ImageDataset:
    """Return the dataset called `name`: its splits `train` and `test`, its one image and its one class-label feature.

    Raises:
        ConfigurationError: the package `datasets` is not installed.
        BenchmarkError: the dataset cannot be loaded, or lacks a split or a feature.
    """
    with extra("huggingface", f"the dataset hf:{name}"):
        import datasets
    try:
        splits = datasets.load_dataset(name)
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise BenchmarkError(f"hf:{name} cannot be loaded: {' '.join(str(error).split())}") from error

    def part(split: str) -> Part:
        if split not in splits:
            raise BenchmarkError(f"hf:{name} has no split '{split}', it has {', '.join(splits)}")
        rows = splits[split]
        image = _the_one(name, [key for key, kind in rows.features.items() if isinstance(kind, datasets.Image)])
        label = _the_one(name, [key for key, kind in rows.features.items() if isinstance(kind, datasets.ClassLabel)])
        return stack_images(f"hf:{name}", rows[image]), np.asarray(rows[label])

    return dataset_of(f"hf:{name}", part("train"), part("test"))


def _the_one(name: str, found: list[str]) -> str:
    if len(found) != 1:
        raise BenchmarkError(f"hf:{name} must have one image and one class-label feature, it has {found or 'none'}")
    return found[0]
