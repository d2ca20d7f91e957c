"""Smallest eigenvalue of the correlation between channels."""

from zcproxy.primitives.zoo.authors import Authors
from zcproxy.primitives.zoo.published import Published
from zcproxy.primitives.zoo.reported import on_cells

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
        formula="nansum(smallest_eigenvalue(channel_correlation(output@data)))",
        note="one image, not noise; the output of every module, of which weight layers are about a third",
    ),
    reported=on_cells("all", 0.76, 0.73, 0.69),
)
