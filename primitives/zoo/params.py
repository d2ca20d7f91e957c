"""Number of parameters."""

from zcproxy.proxy.published import Published
from zcproxy.proxy.reported import on_cells

PROXY = Published(
    name="params",
    formula="total_params",
    paper="a baseline of every paper",
    reported=on_cells("all", 0.578, 0.552, 0.520) + on_cells("pruned", 0.623, 0.588, 0.547),
)
