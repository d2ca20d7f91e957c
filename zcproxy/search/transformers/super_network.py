"""The super-network of a transformer: depth, and heads and feed-forward width of each layer."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random

import torch
from torch import Tensor, nn

from zcproxy.contracts.batch import Batch
from zcproxy.contracts.choice_space import Option
from zcproxy.contracts.dataset import ImageDataset
from zcproxy.contracts.super_network import SuperNetwork, inherit_slices
from zcproxy.errors import ModelError
from zcproxy.reading.weights import read_weights, save_weights
from zcproxy.search.transformers.shrinking import Size, shrunk
from zcproxy.search.transformers.stack import Stack
from zcproxy.training.moments import measure_moments
from zcproxy.training.train import accuracy_of

DEPTH = "depth"


class ElasticTransformer(SuperNetwork):
    """Sub-networks of a transformer, written `depth=2 heads1=2 width1=64 heads2=4 width2=32`; `elastic` makes it.

    A sub-network has the first layers of the full one, and in each its first heads and feed-forward units.

    Args:
        name: random choices and initialisations are seeded by it.
        model: the full model, its attention separate and its most important heads and units first; its weights are
            those that sub-networks inherit.
        stack: its encoder layers.
        choices: depth, and heads and width of each layer, from small to large.
        dataset: its test samples are what `validate` measures on.
    """

    def __init__(
        self, name: str, model: nn.Module, stack: Stack, choices: Mapping[str, Sequence[int]], dataset: ImageDataset
    ) -> None:
        self.name, self._model, self._stack, self._dataset = name, model, stack, dataset
        self.choices = choices  # type: ignore[misc]  # of this object: its model says what they are
        self.input_shape, self.classes = dataset.input_shape, dataset.classes

    @property
    def weights(self) -> dict[str, Tensor]:
        """The shared weights by name, those of the largest sub-network."""
        return {name: value.detach() for name, value in self._model.named_parameters()}

    @property
    def size(self) -> int:
        """The number of architectures that differ in a layer that is there."""
        return sum(math.prod(map(len, self._live(int(depth)).values())) for depth in self.choices[DEPTH])

    def parse(self, text: str) -> str:
        """Return the text with the first option for heads and width of layers that are left out."""
        own = self.decode(text)
        live = self._live(int(own[DEPTH]))
        return self.encode({name: own[name] if name in live else options[0] for name, options in self.choices.items()})

    def sample(self, rng: Random) -> str:
        """Return an architecture: its depth, then heads and width of each layer drawn uniformly."""
        return self.parse(super().sample(rng))

    def enumerate(self) -> Iterator[str]:
        """Yield every architecture once, from small to large depths, the last choice changing fastest."""
        for depth in self.choices[DEPTH]:
            live = self._live(int(depth))
            dead = {name: options[:1] for name, options in self.choices.items() if name not in live}
            every = {name: (dead | live)[name] for name in self.choices}
            for options in itertools.product(*every.values()):
                yield self.encode(dict(zip(every, options, strict=True)))

    def neighbours(self, architecture: str) -> list[str]:
        """Return the architectures with other heads or another width of one layer, and those of the next depths.

        Layers that a larger depth adds may have any size.
        """
        own = self.decode(architecture)
        return [*self._resized(own), *self._shortened(own), *self._lengthened(own)]

    def mutate(self, architecture: str, rng: Random) -> str:
        """Return a neighbour: its depth changes as often as heads or width of one layer do."""
        own = self.decode(architecture)
        resized, others = self._resized(own), [self._shortened(own), self._lengthened(own)]
        deepened = [options for options in others if options]
        if deepened and (not resized or rng.randrange(len(self._live(int(own[DEPTH])))) == 0):
            return rng.choice(rng.choice(deepened))
        return rng.choice(resized)

    def crossover(self, first: str, second: str, rng: Random) -> str:
        """Return an architecture that takes every choice from either parent with equal chance."""
        return self.parse(super().crossover(first, second, rng))

    def sub_network(self, choice: Mapping[str, Option]) -> nn.Module:
        """Return an untrained sub-network.

        Modules of torch draw their weights as they do by default. Other parameters, such as embeddings of positions,
        are Gaussian with the mean and the deviation that they have in the full model.
        """
        network = shrunk(self._model, self._stack, self._size(choice))
        _draw(network)
        return network

    def skeleton(self, architecture: str) -> nn.Module:
        """Return a sub-network for training shared weights, which are put in its weights' place: do not change it."""
        return shrunk(self._model, self._stack, self._size(self.decode(architecture)), shares=True)

    def inherit(self, network: nn.Module, choice: Mapping[str, Option]) -> None:
        """Copy the shared weights; measure the moments of batch normalisations on training samples."""
        inherit_slices(self.weights, network)
        measure_moments(network, self._dataset.train_inputs)

    def validate(self, network: nn.Module) -> float:
        """Return the accuracy in percent on the test samples of the dataset."""
        return accuracy_of(network, self._dataset, "cpu")

    def batch(self, size: int) -> Batch:
        """Return the first training samples."""
        return Batch(self._dataset.train_inputs[:size], self._dataset.train_targets[:size])

    def save(self, path: Path) -> None:
        """Write the shared weights with a checksum. Raises `StorageError`."""
        save_weights(path, self.weights)

    def load(self, path: Path) -> None:
        """Use the weights of a file that `save` wrote. Raises `ModelError` if they do not fit or are not finite."""
        weights = read_weights(path)
        own = dict(self._model.named_parameters())
        for name, value in weights.items():
            if name not in own or own[name].shape != value.shape or not bool(torch.isfinite(value).all()):
                raise ModelError(f"{path}: the weight '{name}' does not fit {self.name}, or holds NaN or infinity")
        if len(weights) < len(own):
            missing = next(name for name in own if name not in weights)
            raise ModelError(f"{path}: the weight '{missing}' of {self.name} is missing")
        self.take(weights)

    @torch.no_grad()
    def take(self, weights: Mapping[str, Tensor]) -> None:
        """Copy weights of the largest sub-network into the shared ones."""
        for name, own in self._model.named_parameters():
            own.copy_(weights[name])

    def _resized(self, own: Mapping[str, Option]) -> list[str]:
        """Return what differs in heads or width of a layer that is there."""
        live = [name for name in self._live(int(own[DEPTH])) if name != DEPTH]
        changes = [(name, option) for name in live for option in self.choices[name] if option != own[name]]
        return [self.encode({**own, name: option}) for name, option in changes]

    def _shortened(self, own: Mapping[str, Option]) -> list[str]:
        """Return the architecture of the next smaller depth, if there is one."""
        place = self.choices[DEPTH].index(own[DEPTH])
        return [self.parse(self.encode({**own, DEPTH: depth})) for depth in self.choices[DEPTH][:place][-1:]]

    def _lengthened(self, own: Mapping[str, Option]) -> list[str]:
        """Return the architectures of the next larger depth, if there is one, its new layers of any size."""
        place, live = self.choices[DEPTH].index(own[DEPTH]), self._live(int(own[DEPTH]))
        found = []
        for depth in self.choices[DEPTH][place + 1 : place + 2]:
            added = {name: options for name, options in self._live(int(depth)).items() if name not in live}
            sizes = (dict(zip(added, options, strict=True)) for options in itertools.product(*added.values()))
            found += [self.encode({**own, DEPTH: depth, **size}) for size in sizes]
        return found

    def _live(self, depth: int) -> dict[str, Sequence[Option]]:
        """Return the choices that matter at a depth, that depth alone for `depth`."""
        layers = [f"{what}{place}" for place in range(1, depth + 1) for what in ("heads", "width")]
        return {DEPTH: (depth,), **{name: self.choices[name] for name in layers}}

    def _size(self, choice: Mapping[str, Option]) -> Size:
        places = range(1, int(choice[DEPTH]) + 1)
        heads = tuple(int(choice[f"heads{place}"]) for place in places)
        return Size(heads, tuple(int(choice[f"width{place}"]) for place in places))


@torch.no_grad()
def _draw(network: nn.Module) -> None:
    """Draw all weights anew from torch's random state, in place."""
    for module in network.modules():
        reset = getattr(module, "reset_parameters", None)
        if callable(reset):
            reset()
            continue
        for parameter in module.parameters(recurse=False):
            spread = float(parameter.std()) if parameter.numel() > 1 else 0.0
            parameter.normal_(float(parameter.mean()), spread)
