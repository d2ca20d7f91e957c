"""Entries as the official files of NDS have them, of drawn networks and with numbers that were drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from made_tables import drawn_networks

from zcproxy.benchmarks.nds import space_of
from zcproxy.benchmarks.nds.families import CELLS, CHAINS
from zcproxy.random import array_generator


def made_entries(family: str, count: int) -> list[dict[str, Any]]:
    """Return entries of different networks of a family."""
    rng = array_generator("made entries", family)
    describe = _cells if family in CELLS else _chain
    return [
        {
            "net": describe(family, text),
            "params": int(rng.integers(10**5, 10**7)),
            "flops": int(rng.integers(10**8, 10**9)),
            "test_ep_top1": rng.uniform(20.0, 90.0, 3).tolist(),
        }
        for text in drawn_networks(space_of(family), count)
    ]


def _cells(family: str, text: str) -> dict[str, Any]:
    sizes, *cells = text.split("/")
    width, _, depth = sizes.removeprefix("w").partition("d")
    genotype: dict[str, Any] = {}
    for kind, written in zip(("normal", "reduce"), cells, strict=True):
        edges = [[name, int(source)] for name, source in (edge.split("~") for edge in written.split("."))]
        genotype |= {kind: edges, f"{kind}_concat": _joined(family, [source for _, source in edges])}
    return {"genotype": genotype, "width": int(width), "depth": int(depth)}


def _joined(family: str, sources: Sequence[int]) -> list[int]:
    nodes = range(2, 2 + CELLS[family].nodes)
    return [node for node in nodes if not CELLS[family].loose_ends or node not in sources]


def _chain(family: str, text: str) -> dict[str, Any]:
    stages = space_of(family).decode(text)  # type: ignore[union-attr]
    bottleneck = "bottleneck" in CHAINS[family].block
    return {
        "block_type": CHAINS[family].block,
        "ds": [stage.depth for stage in stages],
        "ws": [stage.width for stage in stages],
        "ss": [stage.stride for stage in stages],
        "bot_muls": [stage.ratio for stage in stages] if bottleneck else [],
        "num_gs": [stage.groups for stage in stages] if bottleneck else [],
    }
