"""Ends of blocks whose paths do not all meet: cells that read the two before them, as those of NDS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from zcproxy.probing.block_end import Step
from zcproxy.probing.graph import Graph

LEAST = 2
"""Fewest such ends in a row: one alone is a layer beside a shortcut."""


def overlapping_ends(
    shared: Sequence[int],
    candidates: Sequence[int],
    until: Mapping[int, int],
    steps: Sequence[Step],
    graph: Graph,
) -> list[int]:
    """Return the operations that end blocks between two results that all paths go through.

    There, two tensors are alive: the result itself, and the end of the block before it, which it is made from and which
    is done with sooner. (A shortcut is done with later than the layers beside it: a residual block is not cut.) Of
    several rows of such ends the longest one counts, if it has `LEAST` ends or more.

    Args:
        shared: operations whose result all paths go through and that end a block, in order.
        candidates: operations after which two tensors are alive, in order.
        until: for each of them, the last operation that reads its result.
        steps: the operations of the pass.
        graph: the graph of the pass.
    """
    found: list[int] = []
    for begin, stop in pairwise([*shared, len(steps)]):
        rows: dict[int, list[int]] = {begin: []}
        for end in candidates:
            if begin < end < stop:
                before = next((each for each in rows if end < until[each] < until[end]), None)
                if before is not None and graph.leads(steps[end].node, steps[before].node):
                    rows[end] = [*rows[before], end]
        longest = max(rows.values(), key=len)
        found += longest if len(longest) >= LEAST else []
    return found
