"""Multiply-adds of one sample."""

from zcproxy.proxy.published import Published
from zcproxy.proxy.reported import on_cells, on_nds

PROXY = Published(
    name="flops",
    formula="total_macs",
    paper="a baseline of every paper",
    note="half the floating-point operations that torch counts: products of layers and of attention, no biases",
    reported=on_cells("all", 0.578, 0.552, 0.520)
    + on_cells("pruned", 0.623, 0.588, 0.547)
    + on_nds(0.51, 0.26, 0.47, 0.34, 0.20),
)
