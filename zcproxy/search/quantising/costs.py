"""Size and operations of a network with bit widths."""

from __future__ import annotations

from collections.abc import Mapping

from zcproxy.models.layer_costs import NetworkCost
from zcproxy.models.rounding import FLOAT_BITS

MODEL_SIZE, BIT_OPERATIONS = "model_size_mb", "bit_operations"


def quantised_costs(
    cost: NetworkCost, bits: Mapping[str, int], activation_bits: int, *, symmetric: bool
) -> dict[str, float]:
    """Return the size of the parameters in MB (10^6 bytes), and multiply-adds of one sample times bits times bits.

    A rounded weight has a scale of 32 bits for each output channel, and where it is not symmetric, a zero point of as
    many bits as the weight. All other parameters have 32 bits. Bit operations are multiply-adds times the bits of both
    factors (Y. Guo et al., Single Path One-Shot Neural Architecture Search with Uniform Sampling, ECCV 2020, section
    4.2): 32 times 32 where nothing is rounded.

    Args:
        cost: the layers of the network.
        bits: bit widths by the name of the layer; a layer that is not there has 32.
        activation_bits: bits of the inputs of layers whose weights are rounded.
        symmetric: whether the levels of weights have zero in their middle.
    """
    stored, operations = FLOAT_BITS * cost.other_params, FLOAT_BITS * FLOAT_BITS * cost.other_macs
    for layer in cost.layers:
        width = bits.get(layer.name, FLOAT_BITS)
        is_rounded = width != FLOAT_BITS
        of_channel = FLOAT_BITS + (0 if symmetric else width) if is_rounded else 0
        stored += layer.weights * width + layer.channels * of_channel
        operations += layer.macs * width * (activation_bits if is_rounded else FLOAT_BITS)
    return {MODEL_SIZE: stored / 8e6, BIT_OPERATIONS: float(operations)}
