"""The nine families of NDS (Radosavovic et al., ICCV 2019): the options that the entries of the official files take."""

from __future__ import annotations

from dataclasses import dataclass

from zcproxy.errors import BenchmarkError, check_known


@dataclass(frozen=True)
class CellFamily:
    """Cells of random operations.

    Attributes:
        operations: what an edge may carry.
        nodes: nodes of a cell, its two inputs left out.
        loose_ends: the output joins the nodes that no other uses; otherwise all of them.
    """

    operations: tuple[str, ...]
    nodes: int
    loose_ends: bool


@dataclass(frozen=True)
class ChainFamily:
    """Stages of equal blocks.

    Attributes:
        block: one of `zcproxy.benchmarks.nds.resnets.BLOCKS`.
        strides: strides of the stages of the ImageNet networks, the stem first.
        depths: options of a stage.
        widths: options of a stage.
        stems: options of the stem's width.
        ratios: options of the bottleneck ratio; one option where blocks have no bottleneck.
        groups: options of the number of groups, likewise.
    """

    block: str
    strides: tuple[int, ...]
    depths: tuple[int, ...]
    widths: tuple[int, ...]
    stems: tuple[int, ...]
    ratios: tuple[float, ...] = (1.0,)
    groups: tuple[int, ...] = (1,)


_POOLS = ("avg_pool_3x3", "max_pool_3x3")
_DEPTHS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24)
_RATIOS = (0.25, 0.5, 1.0)
_WIDTHS = (16, 32, 48, 64, 96, 128, 192, 256, 384, 512)

CELLS: dict[str, CellFamily] = {
    "DARTS": CellFamily(
        ("none", "skip_connect", *_POOLS, "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"),
        nodes=4,
        loose_ends=False,
    ),
    "Amoeba": CellFamily(
        (
            *("skip_connect", *_POOLS, "sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7"),
            *("dil_sep_conv_3x3", "conv_7x1_1x7"),
        ),
        nodes=5,
        loose_ends=True,
    ),
    "NASNet": CellFamily(
        (
            *("skip_connect", *_POOLS, "max_pool_5x5", "max_pool_7x7", "conv_1x1", "conv_3x3", "conv_3x1_1x3"),
            *("conv_7x1_1x7", "sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7", "dil_conv_3x3"),
        ),
        nodes=5,
        loose_ends=True,
    ),
    "PNAS": CellFamily(
        (
            *("skip_connect", *_POOLS, "sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7"),
            *("dil_conv_3x3", "conv_7x1_1x7"),
        ),
        nodes=5,
        loose_ends=False,
    ),
    "ENAS": CellFamily(("skip_connect", *_POOLS, "sep_conv_3x3", "sep_conv_5x5"), nodes=5, loose_ends=True),
}
CHAINS: dict[str, ChainFamily] = {
    "ResNet": ChainFamily("res_basic_block", (4, 1, 2, 2, 2), _DEPTHS, _WIDTHS, (16, 32, 64)),
    "ResNeXt-A": ChainFamily(
        *("res_bottleneck_block", (8, 1, 2, 2), (1, 2, 4, 8, 16), (16, 32, 64, 128, 256), (64,)),
        ratios=_RATIOS,
        groups=(1, 2, 4),
    ),
    "ResNeXt-B": ChainFamily(
        *("res_bottleneck_block", (8, 1, 2, 2), (1, 2, 4, 8, 16), (64, 128, 256, 512, 1024), (64,)),
        ratios=_RATIOS,
        groups=(1, 2, 4, 8, 16),
    ),
    "Vanilla": ChainFamily("double_plain_block", (4, 1, 2, 2, 2), _DEPTHS, _WIDTHS, (16, 32, 64)),
}
FAMILIES = (*CELLS, *CHAINS)
DEPTHS, WIDTHS = (4, 6, 8, 10, 12, 14, 16, 18, 20, 22), (16, 24, 32, 48, 64, 80, 96)
"""Cells and channels of a node that cell networks are drawn with; entries may have others."""


def check_family(family: str) -> None:
    """Raise `BenchmarkError` if there is no such family."""
    check_known("NDS family", family, FAMILIES, BenchmarkError)
