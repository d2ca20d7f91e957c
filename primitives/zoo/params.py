"""Number of parameters."""

from zcproxy.primitives.zoo.published import Published

PROXY = Published(
    name="params",
    formula="total_params",
    paper="a baseline of every paper",
)
