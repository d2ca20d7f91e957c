"""Entropy of the principal components of features."""

from zcproxy.primitives.zoo.authors import Authors
from zcproxy.primitives.zoo.published import Published

PROXY = Published(
    name="az_expressivity",
    formula="nansum(entropy(eigenvalues(channel_covariance(block@noise))))",
    paper="Lee and Ham, AZ-NAS, CVPR 2024, equations 1 to 4",
    note=(
        "blocks end where all paths through the network meet, where the authors take the blocks of their spaces. In "
        "NAS-Bench-201 that is the same, but a cell that is a chain of layers counts as several; where cells read two "
        "earlier ones, as in DARTS, there are hardly any"
    ),
    authors=Authors("cvlab-yonsei/AZ-NAS, NB201", batch_size=64, rule="kaiming_normal_fan_in"),
)
