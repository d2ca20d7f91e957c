"""Smallest eigenvalue of the correlation between channels."""

from zcproxy.proxy.published import Published
from zcproxy.proxy.reported import on_cells

PROXY = Published(
    name="meco",
    formula="nansum(smallest_eigenvalue(channel_correlation(output@noise)))",
    paper="Jiang et al., MeCo, NeurIPS 2023",
    note=(
        "of all samples at once, where the authors take one; layers with weights, where the code takes every "
        "module's output; a layer with a constant channel is left out, where the code sets its correlations to 0"
    ),
    authors_batch_size=1,
    reported=on_cells("all", 0.76, 0.73, 0.69),
)
