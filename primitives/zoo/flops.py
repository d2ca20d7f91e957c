"""Multiply-adds of one sample."""

from zcproxy.primitives.zoo.published import Published

PROXY = Published(
    name="flops",
    formula="total_macs",
    paper="a baseline of every paper",
    note="counts multiply-adds, a bias one an output",
)
