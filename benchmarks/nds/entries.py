"""Entries of the official NDS files: their architectures and networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from zcproxy.benchmarks.nds.cell_space import NDSCellSpace
from zcproxy.benchmarks.nds.chain_space import NDSChainSpace
from zcproxy.benchmarks.nds.families import CELLS, check_family
from zcproxy.errors import BenchmarkError


def space_of(family: str) -> NDSCellSpace | NDSChainSpace:
    """Return the search space of a family. Raises `BenchmarkError` if there is no such family."""
    check_family(family)
    return NDSCellSpace(family) if family in CELLS else NDSChainSpace(family)


def architecture_of(family: str, entry: Mapping[str, Any]) -> str:
    """Return the text of an entry's architecture.

    Raises:
        BenchmarkError: the family is unknown, or the entry does not describe one of its networks.
    """
    space = space_of(family)
    net = entry.get("net")
    if not isinstance(net, Mapping):
        raise BenchmarkError(f"this is not a network of the NDS family {family}: the entry has no 'net'")
    return space.from_entry(net)


def build_entry(family: str, entry: Mapping[str, Any], image_size: int, classes: int) -> nn.Module:
    """Return the untrained network of an entry, initialised from torch's current random state.

    Args:
        family: one of `zcproxy.benchmarks.nds.families.FAMILIES`.
        entry: an element of the official json file; only `net` is read.
        image_size: height and width of the images: 32 for CIFAR-10, 224 for ImageNet.
        classes: number of logits.

    Raises:
        BenchmarkError: the family is unknown, or the entry does not describe one of its networks.
    """
    return space_of(family).build(architecture_of(family, entry), (3, image_size, image_size), classes)
