"""Random token ids, which stand for text in minibatches of models of language."""

from __future__ import annotations

from dataclasses import dataclass

from zcproxy.contracts.batch import Batch, noise_batch
from zcproxy.images.image_sets import NOISE, ImageSet


@dataclass(frozen=True)
class Tokens:
    """Sequences of token ids.

    Attributes:
        length: tokens of a sequence.
        vocabulary: number of ids; 0, which pads, is not drawn.
    """

    length: int
    vocabulary: int

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a sample."""
        return (self.length,)

    def batch(self, size: int, classes: int) -> Batch:
        """Return random ids, int64, samples x length, and random classes; always the same."""
        return noise_batch(self.shape, classes, size, self.vocabulary)

    def image_set(self) -> ImageSet:
        """Return what minibatches are made of."""
        return ImageSet(NOISE, f"random token ids, {self.length} per sample")
