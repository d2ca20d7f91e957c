"""Evenness of what the data tells about single weights."""

from zcproxy.proxy.published import Published

PROXY = Published(
    name="vkdnw_entropy",
    formula="decile_entropy(layer_gram(response@fisher))",
    paper="Tybl and Neumann, VKDNW, CVPR 2025, equation 11",
    note=(
        "one weight of each weight layer, where the authors take one of each parameter; normalisation uses the "
        "statistics of the whole batch; the code passes each sample through the network alone"
    ),
    batch_size=8,
    authors_batch_size=64,
)
