"""Number of weight layers."""

from zcproxy.proxy.published import Published

PROXY = Published(
    name="weight_layers",
    formula="depth",
    paper="a baseline of many papers",
    note="counts the calls of live convolutions and linear layers: an edge that leads nowhere does not count",
)
