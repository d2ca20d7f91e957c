"""Architectures with a bit width for each layer or block, as one space that every algorithm searches."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from random import Random

from torch import nn

from zcproxy.contracts.choice_space import BaseSpace
from zcproxy.contracts.search_space import SearchSpace
from zcproxy.models.layer_costs import NetworkCost
from zcproxy.models.rounding import mark
from zcproxy.search.quantising.quantisation import PER_BLOCK, Quantisation

SEPARATOR = " / bits="
KEPT_COSTS = 50_000
"""Architectures whose layers are remembered."""


class BitSpace(BaseSpace):
    """A space of architectures, each with the bit widths of its weights.

    An architecture is written `ARCHITECTURE / bits=8:4/4:4/8`: a number for each layer or block in the order of their
    calls, a slash where the module that holds them changes, so that predictors read widths of one module at one place.

    Which layers there are follows from the architecture. One that changes keeps the bit widths of the layers that it
    still has, by their names; a new layer takes those of the layer before it.

    Args:
        space: the architectures.
        cost: returns the layers of an architecture, which is asked once for each.
        quantisation: bit widths, and what has one of its own.
    """

    def __init__(self, space: SearchSpace, cost: Callable[[str], NetworkCost], quantisation: Quantisation) -> None:
        self.base, self.name = space, space.name
        self.cost = lru_cache(maxsize=KEPT_COSTS)(cost)
        self._quantisation = quantisation
        self._widths = quantisation.quantize

    @cached_property
    def size(self) -> int:
        """The number of architectures with bit widths; every architecture is built to count its layers."""
        return sum(len(self._widths) ** len(self.genes(architecture)) for architecture in self.base.enumerate())

    def genes(self, architecture: str) -> list[str]:
        """Return the names of what has a bit width of its own in an architecture of the space underneath."""
        names = [layer.name for layer in self.cost(architecture).layers]
        return list(dict.fromkeys(map(self._gene, names)))

    def split(self, text: str) -> tuple[str, dict[str, int]]:
        """Return an architecture of the space underneath, and the bit width of each gene.

        Raises:
            BenchmarkError: the text is not of the space.
        """
        own, separator, written = text.rpartition(SEPARATOR)
        if not separator:
            raise self.outside(text, f"it has no bit widths: write them behind it, '{SEPARATOR.strip()}8:4/8'")
        architecture = self.base.parse(own.strip())
        genes, widths = self.genes(architecture), re.split("[:/]", written.strip())
        if len(widths) != len(genes):
            raise self.outside(text, f"it has {len(widths)} bit widths for {len(genes)} {self._what}")
        wrong = next((width for width in widths if width not in map(str, self._widths)), None)
        if wrong is not None:
            raise self.outside(text, f"{wrong!r} is none of the bit widths {', '.join(map(str, self._widths))}")
        return architecture, dict(zip(genes, map(int, widths), strict=True))

    def layer_bits(self, text: str) -> tuple[str, dict[str, int]]:
        """Return an architecture of the space underneath, and the bit width of each layer; raises as `split`."""
        architecture, bits = self.split(text)
        return architecture, {layer.name: bits[self._gene(layer.name)] for layer in self.cost(architecture).layers}

    def join(self, architecture: str, bits: Mapping[str, int]) -> str:
        """Return the text of an architecture; a gene that has no bit width takes that of the one before it."""
        known, parts = next(iter(bits.values()), max(self._widths)), []
        for _, genes in itertools.groupby(self.genes(architecture), _holder):
            widths = [known := bits.get(gene, known) for gene in genes]
            parts.append(":".join(map(str, widths)))
        return f"{architecture}{SEPARATOR}{'/'.join(parts)}"

    def parse(self, text: str) -> str:
        """Return the canonical text."""
        return self.join(*self.split(text))

    def sample(self, rng: Random) -> str:
        """Return an architecture drawn as the space underneath does, every bit width with equal chance."""
        architecture = self.base.sample(rng)
        return self.join(architecture, {gene: rng.choice(self._widths) for gene in self.genes(architecture)})

    def enumerate(self) -> Iterator[str]:
        """Yield every architecture with all bit widths."""
        for architecture in self.base.enumerate():
            genes = self.genes(architecture)
            for widths in itertools.product(self._widths, repeat=len(genes)):
                yield self.join(architecture, dict(zip(genes, widths, strict=True)))

    def neighbours(self, architecture: str) -> list[str]:
        """Return what differs in one edit of the architecture, or in one bit width."""
        own, bits = self.split(architecture)
        edited = [self.join(other, bits) for other in self.base.neighbours(own)]
        return [*edited, *(self.join(own, {**bits, gene: width}) for gene, width in self._changes(bits))]

    def mutate(self, architecture: str, rng: Random) -> str:
        """Return a neighbour; one other is built, not all of them.

        With equal chance for each choice of the architecture, as many as its neighbours are, and each other bit width.
        """
        own, bits = self.split(architecture)
        others, changes = self.base.neighbours(own), self._changes(bits)
        place = rng.randrange(len(others) + len(changes))
        if place < len(others):
            return self.join(others[place], bits)
        gene, width = changes[place - len(others)]
        return self.join(own, {**bits, gene: width})

    def crossover(self, first: str, second: str, rng: Random) -> str:
        """Return an architecture that the space underneath crosses, each bit width from a parent that has the layer."""
        (one, bits), (other, others) = self.split(first), self.split(second)
        child = self.base.crossover(one, other, rng)
        taken = {}
        for gene in self.genes(child):
            known = [parent[gene] for parent in (bits, others) if gene in parent]
            if known:
                taken[gene] = rng.choice(known)
        return self.join(child, taken)

    def build(self, architecture: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """Return the untrained network with its weights as they are, its layers marked with their bit widths."""
        own, bits = self.layer_bits(architecture)
        network = self.base.build(own, input_shape, classes)
        mark(network, bits, symmetric=self._quantisation.symmetric_weights)
        return network

    def _changes(self, bits: Mapping[str, int]) -> Sequence[tuple[str, int]]:
        return [(gene, width) for gene, known in bits.items() for width in self._widths if width != known]

    def _gene(self, layer: str) -> str:
        return block_of(layer) if self._quantisation.quantize_per == PER_BLOCK else layer

    @property
    def _what(self) -> str:
        return f"{self._quantisation.quantize_per}s"


def block_of(layer: str) -> str:
    """Return the block of a layer: its path up to the first numbers in it, all of it where there are none.

    That is what repeats in networks of blocks: `stages.0.1` of `stages.0.1.body.0`, `layer1.0` of `layer1.0.conv1`.
    """
    parts = layer.split(".")
    first = _first_number(parts)
    behind = itertools.takewhile(str.isdigit, parts[first:])
    return layer if first == len(parts) else ".".join([*parts[:first], *behind])


def _holder(gene: str) -> str:
    """Return the path up to its first number, all of it where there is none."""
    parts = gene.split(".")
    return ".".join(parts[: _first_number(parts) + 1])


def _first_number(parts: Sequence[str]) -> int:
    return next((place for place, part in enumerate(parts) if part.isdigit()), len(parts))
