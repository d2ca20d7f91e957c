"""What a search chooses bit widths from, and how networks are quantised."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

from zcproxy.errors import ConfigurationError, check_known
from zcproxy.models.rounding import check_bits

PER_LAYER, PER_BLOCK = PER = ("layer", "block")
MOST_SAMPLES = 100_000


@dataclass(frozen=True)
class Quantisation:
    """Bit widths to choose from, and how networks are quantised with them.

    Attributes:
        quantize: bit widths of weights, 2 to 16, or 32 for weights that stay as they are; none for a search of
            architectures alone.
        quantize_per: what has a bit width of its own: each `layer`, or each `block`, see `blocks_of`.
        activation_bits: bits of the inputs of layers whose weights are rounded; 32 leaves the inputs as they are.
        symmetric_weights: whether levels of weights have zero in their middle.
        calibration_samples: samples that the ranges of these inputs are measured on.
    """

    quantize: tuple[int, ...] = ()
    quantize_per: str = PER_LAYER
    activation_bits: int = 8
    symmetric_weights: bool = True
    calibration_samples: int = 256

    def __post_init__(self) -> None:
        check_known("`quantize_per`", self.quantize_per, PER)
        for bits in self.quantize:
            check_bits(bits, "quantize")
        check_bits(self.activation_bits, "activation_bits")
        repeated = next((bits for bits in self.quantize if self.quantize.count(bits) > 1), None)
        if repeated is not None:
            raise ConfigurationError(f"quantize={','.join(map(str, self.quantize))} names {repeated} twice")
        if not 1 <= self.calibration_samples <= MOST_SAMPLES:
            raise ConfigurationError(
                f"calibration_samples={self.calibration_samples} is out of range: give 1 to {MOST_SAMPLES:,}"
            )
        idle = next((each.name for each in fields(self) if getattr(self, each.name) != each.default), None)
        if not self.quantize and idle is not None:
            raise ConfigurationError(f"`{idle}` is of quantised networks: give `quantize`, for example quantize=4,8")

    @property
    def is_on(self) -> bool:
        """Whether networks are quantised."""
        return bool(self.quantize)


def parse_widths(text: str) -> tuple[int, ...]:
    """Return the bit widths written `4,8`. Raises `ConfigurationError`."""
    words = [word.strip() for word in text.split(",")] if text.strip() else []
    if not all(re.fullmatch("[0-9]{1,9}", word) for word in words):
        raise ConfigurationError(f"quantize={text[:40]}: write bit widths separated by commas, for example 4,8")
    return tuple(map(int, words))
