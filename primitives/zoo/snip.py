"""Sensitivity of the loss to removing a weight."""

from zcproxy.proxy.authors import abdelfattah
from zcproxy.proxy.published import ONCE_A_USE, Published
from zcproxy.proxy.reported import on_cells

PROXY = Published(
    name="snip",
    formula="sum(abs_dot(grad(weight)@data64, weight))",
    paper="Lee et al., SNIP, ICLR 2019; Abdelfattah et al., ICLR 2021",
    note=ONCE_A_USE,
    authors=abdelfattah(),
    reported=on_cells("all", 0.45) + on_cells("pruned", 0.43),
)
