"""The super-network: its choices, its trained weights, and the accuracies of its sub-networks."""

from __future__ import annotations

import errno
import hashlib
import inspect
import io
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from zcproxy.benchmarks.datasets import load_dataset
from zcproxy.benchmarks.elastic_digits import network, sharing
from zcproxy.benchmarks.elastic_digits.network import ElasticNetwork, Stage
from zcproxy.benchmarks.elastic_digits.sharing import train_shared
from zcproxy.contracts.choice_space import Option
from zcproxy.contracts.super_network import SuperNetwork, inherit_slices
from zcproxy.contracts.task import Batch
from zcproxy.errors import ModelError
from zcproxy.reading.weights import KIND, read_weights, save_weights, weights_in
from zcproxy.storage.cache_directory import default_cache
from zcproxy.storage.files import cannot_read
from zcproxy.storage.notices import notice
from zcproxy.storage.sealed import DamagedError, read_sealed
from zcproxy.training import sandwich
from zcproxy.training.moments import measure_moments
from zcproxy.training.train import accuracy_of
from zcproxy.workers.pool import single_threaded
from zcproxy.workers.progress import Progress, silent

STAGES = 3
DEPTHS, WIDTHS, KERNELS = (1, 2, 3), (4, 8, 12, 16), (3, 5)


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
        """Use the trained weights of a file.

        Raises:
            ModelError: they do not fit the largest sub-network, or are no finite numbers.
        """
        weights = read_weights(path)
        self._check(weights, path)
        self._loaded = weights

    def _check(self, weights: Mapping[str, Tensor], path: Path) -> None:
        largest = self.sub_network({name: options[-1] for name, options in self.choices.items()})
        inherit_slices(weights, largest)
        for name, value in largest.named_parameters():
            if not bool(torch.isfinite(value).all()):
                raise ModelError(f"{path}: the weight '{name}' holds NaN or infinity")

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
        measure_moments(network, load_dataset("digits").train_inputs)

    def validate(self, network: nn.Module) -> float:
        """Return the accuracy in percent on the 1,194 test images, which the shared weights were not trained on."""
        return accuracy_of(network, load_dataset("digits"), "cpu")

    def batch(self, size: int) -> Batch:
        """Return the first training images."""
        dataset = load_dataset("digits")
        return Batch(dataset.train_inputs[:size], dataset.train_targets[:size])

    def prepare(self, progress: Progress) -> None:
        """Train the shared weights and keep them, where that was not done before; told the epochs.

        Raises:
            StorageError: the cache directory cannot be read or written.
        """
        if self._loaded is None:
            self._loaded = self._read_kept()
        if self._loaded is None:
            with single_threaded():
                trained = train_shared(self, load_dataset("digits"), progress=progress)
            save_weights(self._kept, trained)
            self._loaded = trained

    @property
    def weights(self) -> dict[str, Tensor]:
        """The shared weights by name: those loaded, or trained and kept."""
        self.prepare(silent)
        assert self._loaded is not None
        return self._loaded

    def _read_kept(self) -> dict[str, Tensor] | None:
        """Return the weights in the cache directory; None where there are none. Damaged ones are set aside."""
        path = self._kept
        try:
            return weights_in(io.BytesIO(read_sealed(path, KIND).content), path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (DamagedError, ModelError, OSError) as error:
            if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.ENAMETOOLONG):
                raise cannot_read(path, error) from error
            with suppress(OSError):
                os.replace(path, path.with_suffix(".damaged"))
            notice(f"damaged, set aside and trained again: {path}: {error}")
            return None

    @property
    def _kept(self) -> Path:
        return default_cache() / "super_networks" / f"{self.name}-{_version()}.pt"


def _version() -> str:
    """Return a digest of the code that weights depend on."""
    text = (
        f"{ElasticDigits.choices}{inspect.getsource(network)}{inspect.getsource(sharing)}{inspect.getsource(sandwich)}"
    )
    return hashlib.sha256(text.encode()).hexdigest()[:12]
