"""Norm of the gradient by the weights."""

from zcproxy.primitives.zoo.published import Published

PROXY = Published(
    name="grad_norm",
    formula="sum(frobenius_norm(grad(weight)@data))",
    paper="Abdelfattah et al., Zero-cost proxies for lightweight NAS, ICLR 2021",
)
