"""The body of a network, all that comes before the last pooling of its positions, and the stages that it falls into."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from zcproxy.probing.layer_call import LayerCall

BEHIND = -1
"""The stage of layers behind global pooling, which belong to none."""

Row = dict[str, float]
"""The descriptors of one layer."""


def body_of(calls: Sequence[LayerCall], rows: Sequence[Row]) -> list[bool]:
    """Return for each live layer whether it belongs to the body: all of them do where that would be none.

    What reads only what global pooling left does not: classifiers, the two layers of squeeze-and-excitation. Neither
    do linear layers of one position at the end of a network whose layers before had more (behind a class token).

    Args:
        calls: the live layer calls.
        rows: their descriptors.
    """
    found = ["features" not in call.slots for call in calls]
    if any(row["resolution"] > 1 for row in rows):
        for place in reversed(range(len(calls))):
            if calls[place].is_convolution or rows[place]["resolution"] > 1:
                break
            found[place] = False
    return found if any(found) else [True] * len(found)


def stages_of(rows: Sequence[Row], body: Sequence[bool]) -> list[int]:
    """Return the stage of each live layer, counted from 0: a run of layers of the body of equal resolution."""
    found, stage, before = [], -1, math.nan
    for row, inside in zip(rows, body, strict=True):
        if inside and row["resolution"] != before:
            stage, before = stage + 1, row["resolution"]
        found.append(stage if inside else BEHIND)
    return found


def described_stages(rows: Sequence[Row], stages: Sequence[int]) -> Row:
    """Return the network descriptors that stages tell; NaN for a network without a live layer.

    Args:
        rows: descriptors of the live layers.
        stages: their stages.
    """
    inside = [row for row, stage in zip(rows, stages, strict=True) if stage != BEHIND]
    if not inside:
        return dict.fromkeys((*STAGE_DESCRIPTORS, *CHAIN_DESCRIPTORS), math.nan)
    positions = [row["resolution"] for row in inside]
    reductions = [place for place, (one, other) in enumerate(pairwise(positions), start=1) if other < one]
    first, last = (reductions[0], reductions[-1]) if reductions else (len(inside), len(inside))
    return {
        "stages": float(max(stages) + 1),
        "first_reduction": first / len(inside),
        "last_reduction": last / len(inside),
        "mean_log_positions": math.fsum(map(math.log, positions)) / len(inside),
        **_chain(rows),
    }


def _chain(rows: Sequence[Row]) -> Row:
    """Return the sizes of the chain of the live layers in which each reads the one before it, all its channels."""
    inputs = [rows[0]["in_channels"], *(row["channels"] for row in rows[:-1])]
    weights = [row["kernel"] * width * row["channels"] for row, width in zip(rows, inputs, strict=True)]
    macs = [size * row["resolution"] for size, row in zip(weights, rows, strict=True)]
    return {"chain_params": math.fsum(weights), "chain_macs": math.fsum(macs)}


STAGE_DESCRIPTORS = {
    "stages": "number of stages: runs of live layers of equal resolution, before global pooling",
    "first_reduction": "share of the layers before global pooling that come before the first reduction of resolution, "
    "1 where there is none",
    "last_reduction": "the same for the last reduction of resolution",
    "mean_log_positions": "mean over the layers before global pooling of ln resolution",
}
CHAIN_DESCRIPTORS = {
    "chain_params": "weights of the plain chain of the live layers: each with its kernel and channels, ungrouped, "
    "reading the layer before it",
    "chain_macs": "multiply-adds of that chain at the resolutions of its layers",
}
