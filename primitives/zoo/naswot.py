"""Log-determinant of the Hamming kernel between samples."""

from zcproxy.proxy.authors import Authors
from zcproxy.proxy.published import Published
from zcproxy.proxy.reported import on_cells, on_nds

PROXY = Published(
    name="naswot",
    formula="logdet(layer_sum(sample_hamming(preactivation@data)))",
    paper="Mellor et al., Neural architecture search without training, ICML 2021",
    note=(
        "one kernel per live layer: of the inputs of the ReLU that feeds it, or its own where none does (the stem, "
        "shortcuts, the classifier); the code takes every ReLU that a gradient reaches, the last one and dead ones too"
    ),
    authors=Authors("BayesWatch/nas-without-training, score_networks.py", batch_size=128),
    reported=on_cells("all", 0.557, 0.579, 0.573)
    + on_cells("pruned", 0.571, 0.607, 0.605)
    + on_nds(0.47, 0.22, 0.37, 0.38, 0.30),
)
