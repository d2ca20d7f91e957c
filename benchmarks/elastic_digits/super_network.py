"""The super-network: its choices, its trained weights, and the accuracies of its sub-networks."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from zcproxy.benchmark import Batch
from zcproxy.benchmarks.datasets import load_dataset
from zcproxy.benchmarks.elastic_digits import network, sharing
from zcproxy.benchmarks.elastic_digits.network import ElasticNetwork, Stage
from zcproxy.benchmarks.elastic_digits.sharing import train_shared
from zcproxy.benchmarks.safe_pickle import load_torch
from zcproxy.errors import BenchmarkError, ModelError
from zcproxy.files import replacing
from zcproxy.search.super_network import SuperNetwork, inherit_slices
from zcproxy.space import Option
from zcproxy.sweep.runner import Progress, silent, single_threaded
from zcproxy.sweep.store import default_cache
from zcproxy.training.train import accuracy_of

STAGES = 3
DEPTHS, WIDTHS, KERNELS = (1, 2, 3), (4, 8, 12, 16), (3, 5)
CALIBRATION_IMAGES = 1200
"""Training images that the moments of normalisations are measured on, for each sub-network."""


class ElasticDigits(SuperNetwork):
    """13,824 sub-networks for the distorted digits (`zcproxy.benchmarks.datasets.digits`).

    Weights are trained when first needed, in about a minute, and kept in the cache directory, unless others are loaded
    from a file that `save_weights` wrote.
    """

    name = "elastic_digits"
    choices: ClassVar[Mapping[str, Sequence[Option]]] = {
        f"{what}{stage}": options
        for stage in range(1, STAGES + 1)
        for what, options in (("depth", DEPTHS), ("width", WIDTHS), ("kernel", KERNELS))
    }
    input_shape = (1, 12, 12)
    classes = 10

    def __init__(self) -> None:
        self._loaded: dict[str, Tensor] | None = None

    def load(self, path: Path) -> None:
        """Use the trained weights of a file. Raises `ModelError` if they do not fit the largest sub-network."""
        weights = read_weights(path)
        inherit_slices(weights, self.sub_network({name: options[-1] for name, options in self.choices.items()}))
        self._loaded = weights

    def sub_network(self, choice: Mapping[str, Option]) -> nn.Module:
        """Return an untrained sub-network, initialised as torch does by default."""
        numbers = {name: int(option) for name, option in choice.items()}
        stages = [
            Stage(numbers[f"depth{number}"], numbers[f"width{number}"], numbers[f"kernel{number}"])
            for number in range(1, STAGES + 1)
        ]
        return ElasticNetwork(stages, self.input_shape[0], self.classes)

    def inherit(self, network: nn.Module, choice: Mapping[str, Option]) -> None:
        """Copy the shared weights; measure the moments of normalisations on training images."""
        inherit_slices(self.weights, network)
        norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the mean over all batches: here of the one
        with torch.no_grad():
            network.train()(load_dataset("digits").train_inputs[:CALIBRATION_IMAGES])

    def validate(self, network: nn.Module) -> float:
        """Return the accuracy in percent on the 1,194 test images, which the shared weights were not trained on."""
        return accuracy_of(network, load_dataset("digits"), "cpu")

    def batch(self, size: int) -> Batch:
        """Return the first training images."""
        dataset = load_dataset("digits")
        return Batch(dataset.train_inputs[:size], dataset.train_targets[:size])

    def prepare(self, progress: Progress) -> None:
        """Train the shared weights and keep them, where that was not done before; told the epochs."""
        if self._loaded is None and not self._kept.exists():
            with single_threaded():
                save_weights(self._kept, train_shared(self, load_dataset("digits"), progress=progress))

    @cached_property
    def weights(self) -> dict[str, Tensor]:
        """The shared weights by name: those loaded, or trained and kept."""
        self.prepare(silent)
        return self._loaded or read_weights(self._kept)

    @property
    def _kept(self) -> Path:
        return default_cache() / "super_networks" / f"{self.name}-{_version()}.pt"


def save_weights(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Write shared weights. Raises `StorageError`."""
    with replacing(path) as temporary:
        torch.save(dict(weights), temporary)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return shared weights; nothing but tensors is read. Raises `ModelError`."""
    try:
        content = load_torch(path, "weights")
    except BenchmarkError as error:
        raise ModelError(f"cannot read the weights {path}: {error}") from error
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        raise ModelError(f"{path} holds something else than weights by name")
    return content


def _version() -> str:
    """Return a digest of the code that weights depend on."""
    text = f"{ElasticDigits.choices}{inspect.getsource(network)}{inspect.getsource(sharing)}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]
