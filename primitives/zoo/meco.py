"""Smallest eigenvalue of the correlation between channels."""

from zcproxy.proxy.authors import Authors
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
    authors=Authors(
        "HamsterMimi/MeCo, correlation/NAS_Bench_201.py",
        batch_size=1,
        formula=(
            "4 * nansum(smallest_eigenvalue(channel_correlation(output@data)))"
            " + nansum(smallest_eigenvalue(channel_correlation(input@data)))"
        ),
        note=(
            "one image, the output of every module: of the five of a ReLU, a convolution and a normalisation in "
            "NAS-Bench-201 four have the correlations of the convolution's output, and one is its input; those of "
            "cells and poolings are left out"
        ),
    ),
    reported=on_cells("all", 0.76, 0.73, 0.69),
)
