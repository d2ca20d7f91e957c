"""Entropy of the principal components of features."""

from zcproxy.proxy.authors import Authors
from zcproxy.proxy.published import Published

PROXY = Published(
    name="az_expressivity",
    formula="nansum(entropy(eigenvalues(channel_covariance(block@noise))))",
    paper="Lee and Ham, AZ-NAS, CVPR 2024, equations 1 to 4",
    note=(
        "blocks are those that the model names in block_ends, for NAS-Bench-201 the stem and the 17 cells as in the "
        "authors' code; else they end where all paths through the network meet, which for cells that read two earlier "
        "ones leaves hardly any"
    ),
    authors=Authors("cvlab-yonsei/AZ-NAS, NB201", batch_size=64, rule="kaiming_normal_fan_in"),
)
