"""The space of NAS-Bench-BERT: two or four encoder layers, each with an operation and a feed-forward part."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from random import Random
from typing import Any

from torch import nn

from zcproxy.benchmarks.nas_bench_bert.encoder import LONGEST, VOCABULARY, Encoder, EncoderLayer
from zcproxy.benchmarks.shared.block_lists import crossed
from zcproxy.contracts.choice_space import BaseSpace
from zcproxy.errors import BenchmarkError

WIDTHS, DEPTHS = (128, 256), (2, 4)
OPERATIONS = ("sdp", "wma", "dft", "dct", "dsc5", "dsc9")
OPTIONS: Mapping[str, Sequence[Any]] = {
    "operation": OPERATIONS,
    "heads": (2, 4),
    "feed_forward": (512, 1024),
    "feed_forwards": (1, 3),
}
"""The options of each field of a layer."""

LAYERS = tuple(EncoderLayer(*values) for values in product(*OPTIONS.values()))


@dataclass(frozen=True)
class Choice:
    """An architecture: width, and the layers."""

    width: int
    layers: tuple[EncoderLayer, ...]

    @property
    def text(self) -> str:
        """How it is written."""
        return f"{self.width}:{'.'.join(map(_text_of, self.layers))}"


def _text_of(layer: EncoderLayer) -> str:
    return f"{layer.operation}-{layer.heads}-{layer.feed_forward}x{layer.feed_forwards}"


_KNOWN = {_text_of(layer): layer for layer in LAYERS}


class FlexiBertSpace(BaseSpace):
    """Encoders, written `256:wma-4-1024x3.dft-2-512x1`: width, then the layers, joined by dots.

    A layer has its operation, heads, and width and number of hidden layers of its feed-forward part.

    Attributes:
        vocabulary: number of token ids that networks take.
    """

    name = "nas_bench_bert"
    vocabulary = VOCABULARY

    @property
    def size(self) -> int:
        """The number of architectures."""
        return len(WIDTHS) * sum(len(LAYERS) ** depth for depth in DEPTHS)

    def build(self, architecture: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """Return the untrained network of token ids, initialised as ELECTRA.

        Raises:
            BenchmarkError: the inputs are not so many tokens that there are positions for them.
        """
        if len(input_shape) != 1 or not 0 < input_shape[0] <= LONGEST:
            raise BenchmarkError(f"encoders of {self.name} take 1 to {LONGEST} token ids, not {input_shape}")
        choice = self.decode(architecture)
        return Encoder(choice.width, choice.layers, classes)

    def decode(self, text: str) -> Choice:
        """Return width and layers. Raises `BenchmarkError` for text outside the space."""
        found = re.fullmatch(r"(\d+):(\S+)", text.strip())
        if found is None or found[1] not in map(str, WIDTHS):
            raise self.outside(text, f"write WIDTH:LAYERS with a width of {' or '.join(map(str, WIDTHS))}")
        parts = found[2].split(".")
        wrong = next((part for part in parts if part not in _KNOWN), None)
        if wrong is not None:
            raise self.outside(text, f"the layer '{wrong[:40]}' is not like wma-4-1024x3")
        if len(parts) not in DEPTHS:
            raise self.outside(text, f"{len(parts)} layers, expected {' or '.join(map(str, DEPTHS))}")
        return Choice(int(found[1]), tuple(_KNOWN[part] for part in parts))

    def parse(self, text: str) -> str:
        """Return the canonical text; surrounding white space is dropped."""
        return self.decode(text).text

    def sample(self, rng: Random) -> str:
        """Return an architecture: width, depth and layers drawn uniformly."""
        width, depth = rng.choice(WIDTHS), rng.choice(DEPTHS)
        return Choice(width, tuple(rng.choice(LAYERS) for _ in range(depth))).text

    def enumerate(self) -> Iterator[str]:
        """Yield every architecture once, the shallow ones first."""
        for depth in DEPTHS:
            for width in WIDTHS:
                for layers in product(LAYERS, repeat=depth):
                    yield Choice(width, layers).text

    def neighbours(self, architecture: str) -> list[str]:
        """Return the architectures with the other width, or one option of one layer replaced, or half or twice as deep.

        A deeper one repeats the layers of a shallow one whose halves are the same.
        """
        own = self.decode(architecture)
        found = [replace(own, width=width) for width in WIDTHS if width != own.width]
        for place, layer in enumerate(own.layers):
            for field in fields(EncoderLayer):
                for option in OPTIONS[field.name]:
                    if option != getattr(layer, field.name):
                        changed = replace(layer, **{field.name: option})
                        found.append(replace(own, layers=(*own.layers[:place], changed, *own.layers[place + 1 :])))
        half = len(own.layers) // 2
        if len(own.layers) == DEPTHS[0]:
            found.append(replace(own, layers=own.layers * 2))
        elif own.layers[:half] == own.layers[half:]:
            found.append(replace(own, layers=own.layers[:half]))
        return [choice.text for choice in found]

    def crossover(self, first: str, second: str, rng: Random) -> str:
        """Return a child with the width of either parent, and the depth of one, its layers taken from either."""
        parents = [self.decode(first), self.decode(second)]
        width = rng.choice(parents).width
        own, other = rng.sample(parents, 2)
        return Choice(width, crossed(own.layers, other.layers, rng)).text
