"""Cuts of a network: how much of its signal is alive between its layers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from zcproxy.probing.layer_call import LayerCall
from zcproxy.probing.liveness import Liveness

CUT_DESCRIPTORS = {
    "narrowest_cut": "fewest units alive at any cut: units made before it that are read after it; cuts are before each "
    "live layer but the first and before global pooling, none behind it",
    "mean_log_cut": "mean over the cuts of ln units alive",
}


def described_cuts(
    alive: Liveness, calls: Sequence[LayerCall], body: Sequence[bool], poolings: Sequence[int]
) -> dict[str, float]:
    """Return the network descriptors that cuts tell; NaN where there is none, as no way leads through the network.

    Args:
        alive: what is alive at each cut of the pass.
        calls: the live layer calls.
        body: for each of them, whether it comes before global pooling.
        poolings: the operations that pool all positions.
    """
    inside = [call for call, belongs in zip(calls, body, strict=True) if belongs]
    places = [call.operation for call in inside[1:]]
    if inside:
        last = inside[-1].operation
        behind = [call.operation for call in calls if call.operation > last]
        ends = [place for place in poolings if place > last]
        places += ends if ends or behind else [len(alive.units) - 1]
    units = [alive.units[place] for place in places if alive.units[place]]
    if not units:
        return dict.fromkeys(CUT_DESCRIPTORS, math.nan)
    return {
        "narrowest_cut": float(min(units)),
        "mean_log_cut": math.fsum(map(math.log, units)) / len(units),
    }
