"""The space of HAT for machine translation: widths and heads of six encoder and one to six decoder layers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from random import Random

from torch import nn

from zcproxy.benchmarks.hat.transformer import DecoderLayer, EncoderLayer, TranslationTransformer
from zcproxy.contracts.choice_space import BaseSpace
from zcproxy.errors import BenchmarkError

WIDTHS = (512, 640)
ENCODER_OPTIONS = tuple(EncoderLayer(*values) for values in product((1024, 2048, 3072), (4, 8)))
DECODER_OPTIONS = tuple(DecoderLayer(*values) for values in product((1024, 2048, 3072), (4, 8), (4, 8), (1, 2, 3)))
ENCODER_LAYERS, DECODER_LAYERS = 6, (1, 2, 3, 4, 5, 6)


@dataclass(frozen=True)
class Choice:
    """An architecture: widths of the embeddings, and the layers."""

    encoder_width: int
    encoder: tuple[EncoderLayer, ...]
    decoder_width: int
    decoder: tuple[DecoderLayer, ...]


class TranslationSpace(BaseSpace):
    """Sub-networks, written `640:1024h4.2048h8.../512:3072h8c4a1.1024h4c8a3...`: encoder, then decoder.

    Each begins with its width; a layer has the width of its feed-forward part, its heads (`h`), and in the decoder the
    heads of the attention to the encoder (`c`) and how many last layers of it are attended to (`a`). Implements
    `zcproxy.contracts.task.SearchSpace`.
    """

    name = "hat_translation"

    @property
    def size(self) -> int:
        """The number of architectures."""
        decoders = sum(len(DECODER_OPTIONS) ** layers for layers in DECODER_LAYERS)
        return len(WIDTHS) ** 2 * len(ENCODER_OPTIONS) ** ENCODER_LAYERS * decoders

    def build(self, architecture: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """Return the untrained network, initialised as torch does by default.

        Raises:
            BenchmarkError: the inputs are not two sentences of embeddings that are wide enough.
        """
        if len(input_shape) != 3 or input_shape[0] != 2 or input_shape[2] < max(WIDTHS):
            raise BenchmarkError(
                f"the Transformer takes embeddings of two sentences, 2 x length x {max(WIDTHS)}, not {input_shape}"
            )
        choice = self.decode(architecture)
        return TranslationTransformer(
            choice.encoder_width, choice.encoder, choice.decoder_width, choice.decoder, classes
        )

    def decode(self, text: str) -> Choice:
        """Return the widths and layers. Raises `BenchmarkError` for text outside the space."""
        found = re.fullmatch(r"(\d+):([^/]+)/(\d+):([^/]+)", text.strip())
        if found is None:
            raise self.outside(text, "write WIDTH:LAYERS/WIDTH:LAYERS, layers joined by dots")
        for width in (found[1], found[3]):
            if width not in map(str, WIDTHS):
                raise self.outside(text, f"the width {width} is not one of {', '.join(map(str, WIDTHS))}")
        known_encoders = {_encoder_text(layer): layer for layer in ENCODER_OPTIONS}
        known_decoders = {_decoder_text(layer): layer for layer in DECODER_OPTIONS}
        encoder, decoder = found[2].split("."), found[4].split(".")
        unknown = [part for part in encoder if part not in known_encoders]
        unknown += [part for part in decoder if part not in known_decoders]
        if unknown:
            raise self.outside(text, f"the layer '{unknown[0]}' is not like 2048h8, or in the decoder 2048h8c8a1")
        if len(encoder) != ENCODER_LAYERS or len(decoder) not in DECODER_LAYERS:
            raise self.outside(
                text, f"{len(encoder)} encoder and {len(decoder)} decoder layers, expected {ENCODER_LAYERS} and 1 to 6"
            )
        return Choice(
            int(found[1]),
            tuple(known_encoders[part] for part in encoder),
            int(found[3]),
            tuple(known_decoders[part] for part in decoder),
        )

    def parse(self, text: str) -> str:
        """Return the canonical text; surrounding white space is dropped."""
        return _text(self.decode(text))

    def sample(self, rng: Random) -> str:
        """Return an architecture with every choice drawn uniformly, as by the official code."""
        encoder = tuple(rng.choice(ENCODER_OPTIONS) for _ in range(ENCODER_LAYERS))
        decoder = tuple(rng.choice(DECODER_OPTIONS) for _ in range(rng.choice(DECODER_LAYERS)))
        return _text(Choice(rng.choice(WIDTHS), encoder, rng.choice(WIDTHS), decoder))

    def enumerate(self) -> Iterator[str]:
        """Yield every architecture once; there are more than 10^14."""
        for widths in product(WIDTHS, WIDTHS):
            for layers in DECODER_LAYERS:
                for decoder in product(DECODER_OPTIONS, repeat=layers):
                    for encoder in product(ENCODER_OPTIONS, repeat=ENCODER_LAYERS):
                        yield _text(Choice(widths[0], encoder, widths[1], decoder))

    def neighbours(self, architecture: str) -> list[str]:
        """Return the architectures with another width, one layer replaced, or one last decoder layer more or less."""
        own = self.decode(architecture)
        found = [
            Choice(first, own.encoder, second, own.decoder)
            for first, second in product(WIDTHS, WIDTHS)
            if (first != own.encoder_width) != (second != own.decoder_width)
        ]
        for place, encoder_layer in enumerate(own.encoder):
            for other in ENCODER_OPTIONS:
                if other != encoder_layer:
                    encoder = (*own.encoder[:place], other, *own.encoder[place + 1 :])
                    found.append(Choice(own.encoder_width, encoder, own.decoder_width, own.decoder))
        decoders = [
            (*own.decoder[:place], option, *own.decoder[place + 1 :])
            for place, decoder_layer in enumerate(own.decoder)
            for option in DECODER_OPTIONS
            if option != decoder_layer
        ]
        decoders += [(*own.decoder, option) for option in DECODER_OPTIONS]
        decoders.append(own.decoder[:-1])
        found += [
            Choice(own.encoder_width, own.encoder, own.decoder_width, decoder)
            for decoder in decoders
            if len(decoder) in DECODER_LAYERS
        ]
        return [_text(choice) for choice in found]

    def crossover(self, first: str, second: str, rng: Random) -> str:
        """Return an architecture that takes encoder and decoder, with their widths, from either parent."""
        encoder, decoder = rng.choice((first, second)), rng.choice((first, second))
        left, right = self.decode(encoder), self.decode(decoder)
        return _text(Choice(left.encoder_width, left.encoder, right.decoder_width, right.decoder))


def _encoder_text(layer: EncoderLayer) -> str:
    return f"{layer.feed_forward}h{layer.heads}"


def _decoder_text(layer: DecoderLayer) -> str:
    return f"{layer.feed_forward}h{layer.heads}c{layer.cross_heads}a{layer.attended}"


def _text(choice: Choice) -> str:
    encoder, decoder = ".".join(map(_encoder_text, choice.encoder)), ".".join(map(_decoder_text, choice.decoder))
    return f"{choice.encoder_width}:{encoder}/{choice.decoder_width}:{decoder}"
