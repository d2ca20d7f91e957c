"""Multiply-adds, as the fourth part of AZ-NAS."""

from zcproxy.proxy.published import Published
from zcproxy.proxy.reported import on_cells

PROXY = Published(
    name="az_complexity",
    formula="total_macs",
    paper="Lee and Ham, AZ-NAS, CVPR 2024",
    note="the same as flops",
    reported=on_cells("all", 0.578, 0.552, 0.520) + on_cells("pruned", 0.623, 0.588, 0.547),
)
