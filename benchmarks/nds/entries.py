"""Entries of the official NDS files: what they hold, and the networks they describe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from zcproxy.benchmarks.nds.cells import OPERATIONS, CellNetwork, Edges
from zcproxy.benchmarks.nds.resnets import BLOCKS, Stage, chain_network
from zcproxy.errors import BenchmarkError, nearest_names

CELL_FAMILIES = ("DARTS", "Amoeba", "NASNet", "PNAS", "ENAS")
CHAIN_FAMILIES = ("ResNet", "ResNeXt-A", "ResNeXt-B", "Vanilla")
FAMILIES = (*CELL_FAMILIES, *CHAIN_FAMILIES)


def build_entry(family: str, entry: Mapping[str, Any], image_size: int, classes: int) -> nn.Module:
    """Return the untrained network of an entry, initialised from torch's current random state.

    Args:
        family: one of `FAMILIES`.
        entry: an element of the official json file; only `net` is read.
        image_size: height and width of the images: 32 for CIFAR-10, 224 for ImageNet.
        classes: number of logits.

    Raises:
        BenchmarkError: the family is unknown, or the entry does not describe one of its networks.
    """
    if family not in FAMILIES:
        raise BenchmarkError(
            f"unknown NDS family {family!r}{nearest_names(family, FAMILIES)}; known are {', '.join(FAMILIES)}"
        )
    try:
        net = entry["net"]
        if family in CHAIN_FAMILIES:
            return _build_chain(net, classes)
        genotype = net["genotype"]
        return CellNetwork(
            _cell(genotype, "normal"),
            _cell(genotype, "reduce"),
            width=int(net["width"]),
            depth=int(net["depth"]),
            image_size=image_size,
            classes=classes,
        )
    except (KeyError, TypeError, ValueError) as error:
        missing = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise BenchmarkError(f"this entry does not describe a network of the NDS family {family}: {missing}") from error


def _cell(genotype: Mapping[str, Any], kind: str) -> tuple[Edges, Sequence[int]]:
    edges = [(str(name), int(source)) for name, source in genotype[kind]]
    ends = [int(end) for end in genotype[f"{kind}_concat"]]
    nodes = 2 + len(edges) // 2
    if len(edges) % 2 or not edges:
        raise BenchmarkError(f"the genotype's '{kind}' has {len(edges)} edges: two for each node are needed")
    for number, (name, source) in enumerate(edges):
        if name not in OPERATIONS:
            raise BenchmarkError(f"the genotype's '{kind}' has an unknown operation '{name}' at edge {number}")
        if not 0 <= source < 2 + number // 2:
            raise BenchmarkError(
                f"edge {number} of the genotype's '{kind}' comes from node {source}: it must be an earlier node than "
                f"{2 + number // 2}"
            )
    if not ends or not all(0 <= end < nodes for end in ends):
        raise BenchmarkError(f"the genotype's '{kind}_concat' is {ends}: it must name nodes from 0 to {nodes - 1}")
    return edges, ends


def _build_chain(net: Mapping[str, Any], classes: int) -> nn.Module:
    block = str(net["block_type"])
    if block not in BLOCKS:
        raise BenchmarkError(f"unknown block '{block}', known are {', '.join(BLOCKS)}")
    count = len(net["ds"])
    ratios, groups = net["bot_muls"] or [1.0] * count, net["num_gs"] or [1] * count
    stages = [
        Stage(int(depth), int(width), int(stride), float(ratio), int(group))
        for depth, width, stride, ratio, group in zip(net["ds"], net["ws"], net["ss"], ratios, groups, strict=True)
    ]
    return chain_network(block, stages, classes)
