"""The descriptors of layers and networks: their names, and those of a layer from its call."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from zcproxy.probing.cuts import CUT_DESCRIPTORS
from zcproxy.probing.layer_call import ATTENTION, LayerCall
from zcproxy.probing.paths import Paths
from zcproxy.probing.samples import SMALL
from zcproxy.probing.stages import CHAIN_DESCRIPTORS, STAGE_DESCRIPTORS

LAYER_DESCRIPTORS = {
    "params": "parameters of the layer, bias included",
    "macs": "multiply-adds of the layer for one sample, without its bias",
    "fan_in": "inputs of one output unit: input channels / groups x kernel positions",
    "channels": "output channels",
    "in_channels": "input channels",
    "resolution": "output positions of one channel for one sample",
    "units": "outputs for one sample: channels x resolution",
    "kernel": "kernel positions",
    "groups": "groups of the convolution",
    "relative_depth": "place of the layer among the live ones in order of execution, in [0, 1]",
    "is_normalized": "1 if a normalisation follows the layer, else 0",
    "is_activated": "1 if a non-linearity feeds the layer, else 0",
    "path_share": "share of all input-output paths that lead through the layer",
    "longest_path_share": "share of the paths with most layers that lead through the layer",
    "before_pooling": "1 if the layer comes before global pooling, else 0: classifiers, squeeze-and-excitation",
    "in_attention": "1 if the layer makes queries, keys or values, or reads what attention collected, else 0",
    "reads_attention": "1 if the layer reads what attention collected, else 0",
    "weight_uses": "live layers that have the weight, 1 where it is not shared: sum(x / weight_uses) counts it once",
}
NETWORK_DESCRIPTORS = {
    "total_params": "parameters of the network, dead layers included",
    "embedding_params": "parameters of embeddings (torch.nn.Embedding), which are looked up and no layers",
    "total_macs": "multiply-adds of one sample; attention counts; dead layers included",
    "depth": "number of live layers",
    "dead_layers": "number of weight layers that no signal passes",
    "log_paths": "ln of the number of paths from input to output",
    "shortest_path": "fewest weight layers on a path from input to output",
    "longest_path": "most weight layers on a path from input to output",
    **STAGE_DESCRIPTORS,
    **CUT_DESCRIPTORS,
    **CHAIN_DESCRIPTORS,
}


@dataclass(frozen=True)
class Sizes:
    """The number of elements of a layer's output as a function of the number of samples.

    Attributes:
        fixed: elements that any batch has.
        per_sample: further elements for each sample.
    """

    fixed: int
    per_sample: int

    def of(self, samples: int) -> int:
        """Return the elements for a batch."""
        return self.fixed + self.per_sample * samples


def describe_all(
    pairs: Sequence[tuple[LayerCall, LayerCall | None]], paths: Paths, places: Sequence[int | None]
) -> list[dict[str, float]]:
    """Return the descriptors of all layer calls but those that compare live layers: their depth, what pooling left.

    Args:
        pairs: the layer calls, each with the same call for a larger batch where that may tell more.
        paths: the paths through the network.
        places: for each call the place of its weight, None for a dead layer.
    """
    rows, uses = [_describe(*pair) for pair in pairs], Counter(places)
    for index, row in enumerate(rows):
        row |= {
            "path_share": paths.shares[index],
            "longest_path_share": paths.longest_shares[index],
            "weight_uses": float(uses[places[index]]),
        }
    return rows


def sizes_of(call: LayerCall, other: LayerCall | None, name: str = "output") -> Sizes:
    """Return the size of a tensor of a layer call, given the same call for a larger batch where that may tell more."""
    count = call.slots[name].value.numel()
    if other is None:
        return Sizes(0, count // SMALL)
    per_sample = other.slots[name].value.numel() - count
    return Sizes(count - SMALL * per_sample, per_sample)


def _describe(call: LayerCall, other: LayerCall | None) -> dict[str, float]:
    """Return the descriptors of a layer call, given the same call for a larger batch where that may tell more."""
    weight = call.weight_statistic(call.weight.detach())
    rows, fan_in = weight.shape[0], weight[0].numel()
    is_recurrent = call.kind == "recurrent"
    units = call.slots["output"].value.shape[-1] if is_recurrent else rows
    outputs, inputs = (_of_one_sample(sizes_of(call, other, name)) for name in ("output", "input"))
    products = outputs * fan_in
    if is_recurrent:
        products = outputs // units * weight.numel()
    elif call.kind == "transposed":
        products = inputs * (weight.numel() // call.weight.shape[0])
    return {
        "params": float(weight.numel() + (0 if call.bias is None else call.bias.numel())),
        "macs": float(products),
        "fan_in": float(fan_in),
        "channels": float(units),
        "in_channels": float(weight.shape[1] * call.groups),
        "resolution": outputs / units,
        "units": float(outputs),
        "kernel": float(math.prod(weight.shape[2:])),
        "groups": float(call.groups),
        "is_normalized": float("normalized" in call.slots),
        "is_activated": float("preactivation" in call.slots),
        "in_attention": float(call.in_attention),
        "reads_attention": float(ATTENTION in call.slots),
    }


def _of_one_sample(sizes: Sizes) -> int:
    return sizes.per_sample or sizes.fixed
