"""Norm of the gradient by the weights."""

from zcproxy.proxy.authors import abdelfattah
from zcproxy.proxy.published import ONCE_A_USE, Published
from zcproxy.proxy.reported import on_cells

PROXY = Published(
    name="grad_norm",
    formula="sum(frobenius_norm(grad(weight)@data64))",
    paper="Abdelfattah et al., Zero-cost proxies for lightweight NAS, ICLR 2021",
    note=ONCE_A_USE,
    authors=abdelfattah(),
    reported=on_cells("all", (0.36, 0.46)) + on_cells("pruned", 0.328, 0.341, 0.310),
)
