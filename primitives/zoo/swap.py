"""Number of distinct activation patterns of units over the samples."""

from zcproxy.proxy.authors import Authors
from zcproxy.proxy.published import Published
from zcproxy.proxy.reported import on_cells

PROXY = Published(
    name="swap",
    formula="distinct_patterns(unit_patterns(preactivation@data))",
    paper="Peng et al., SWAP-NAS, ICLR 2024",
    note=(
        "inputs of the non-linearities that feed weight layers, or the layer's input where there is none, in "
        "place of the outputs of every ReLU; at most 2 to the number of samples, which networks reach with 8: "
        "take more"
    ),
    authors=Authors(
        "pym1024/SWAP, correlation.py", batch_size=16, rule="normal", note="the mean over 32 draws of the weights"
    ),
    reported=on_cells("all", 0.634, 0.649, 0.610),
)
