"""Sensitivity of the loss to removing a weight."""

from zcproxy.primitives.zoo.published import Published

PROXY = Published(
    name="snip",
    formula="sum(abs_dot(grad(weight)@data, weight))",
    paper="Lee et al., SNIP, ICLR 2019; Abdelfattah et al., ICLR 2021",
)
