"""The end of a block of a network, and the entry of the block among the layer calls of a pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch.autograd.graph import Node

from zcproxy.probing.layer_call import LayerCall, Slot

BLOCK_STATISTICS = frozenset(("block", "grad(block)", "block_jacobian"))
"""The statistics that there is one of for each block, not for each layer."""

Place = tuple[int, int]
"""A place in a forward pass: how many layers were called, and how many operations on data since."""


@dataclass(frozen=True)
class Step:
    """One operation on data.

    Attributes:
        place: where in the pass.
        node: node of its result in the graph, None where there is none.
        shape: shape of its result.
    """

    place: Place
    node: Node | None
    shape: torch.Size


@dataclass(frozen=True)
class BlockEnd:
    """The end of a block.

    Attributes:
        place: place of the operation whose result ends it.
        shape: shape of that result.
        call: index of the last live layer call before it, of the first one where there is none.
        has_layer: whether that layer belongs to the block, so that it is the one that ends it.
    """

    place: Place
    shape: torch.Size
    call: int
    has_layer: bool = True


def with_blocks(
    ends: Sequence[BlockEnd], calls: Sequence[LayerCall], found: Mapping[Place, Slot]
) -> Iterator[LayerCall]:
    """Yield the entry of each block among layer calls; the layer that ends it gets the block's tensor too.

    Args:
        ends: ends of the blocks.
        calls: the layer calls of a pass.
        found: the results of operations by their place.
    """
    for end in ends:
        slot = found.get(end.place)
        if end.call < len(calls):
            call = calls[end.call]
            if end.has_layer and slot is not None:
                call.slots["block"] = slot
            slots = {name: each for name, each in call.slots.items() if name != "block"}
            yield replace(call, slots=slots if slot is None else {**slots, "block": slot}, is_block=True)
