"""Squared effect on the loss of removing a channel."""

from zcproxy.proxy.authors import abdelfattah
from zcproxy.proxy.published import Published
from zcproxy.proxy.reported import on_cells

PROXY = Published(
    name="fisher",
    formula="sum(fan_in * sum(square(position_sum(grad(output)@data64 * output@data64))))",
    paper="Theis et al., Faster gaze prediction with Fisher pruning, 2018; Abdelfattah et al., ICLR 2021",
    note=(
        "without the constant factor of 1 / 2N; each channel counts once for each of its weights, as in the code of "
        "Abdelfattah et al., where the paper counts it once"
    ),
    authors=abdelfattah(),
    reported=on_cells("all", 0.40),
)
