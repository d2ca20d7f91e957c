"""Evenness of what the data tells about single weights, among networks with as many layers."""

from zcproxy.proxy.published import Published
from zcproxy.proxy.reported import reported

PROXY = Published(
    name="vkdnw_single",
    formula="decile_entropy(layer_gram(response@fisher)) + depth",
    paper="Tybl and Neumann, VKDNW, CVPR 2025, equation 12",
    note="as vkdnw_entropy; counts live weight layers, where the code counts the tensors of parameters of all kinds",
    batch_size=8,
    authors_batch_size=64,
    reported=reported(
        "nasbench201", "pruned", "Tybl and Neumann, VKDNW, CVPR 2025, table 1", {"imagenet16-120": 0.622}
    ),
)
