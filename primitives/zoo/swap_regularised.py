"""Distinct activation patterns, times a bell curve over the number of parameters."""

from zcproxy.proxy.authors import Authors
from zcproxy.proxy.published import Published

PROXY = Published(
    name="swap_regularised",
    formula=("distinct_patterns(unit_patterns(preactivation@data)) * exp(0 - square(0.001 * total_params - 25) / 25)"),
    paper="Peng et al., SWAP-NAS, ICLR 2024",
    note=(
        "centre and width are a choice for each space; 25 and 25 thousand parameters are those of the authors' search, "
        "where the size is that of a small stand-in network. Networks far larger than that all score about 0: write "
        "numbers of your own for another space"
    ),
    authors=Authors(
        "pym1024/SWAP, correlation.py", batch_size=16, rule="normal", note="the mean over 32 draws of the weights"
    ),
)
