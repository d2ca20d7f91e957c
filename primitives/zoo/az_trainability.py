"""Closeness to 1 of the largest singular values of the blocks' Jacobians."""

from zcproxy.proxy.authors import Authors
from zcproxy.proxy.published import Published

PROXY = Published(
    name="az_trainability",
    formula=(
        "2 - nanmean(max(singular_values(block_jacobian@signs)) + "
        "1 / (max(singular_values(block_jacobian@signs)) + 0.000001))"
    ),
    paper="Lee and Ham, AZ-NAS, CVPR 2024, equations 6 to 11",
    note=(
        "blocks as az_expressivity has them, with the 0.000001 of the code; a block that hands on its input counts "
        "-1e6 (minus infinity in the code); blocks whose input's height or width is not a multiple of the output's are "
        "left out"
    ),
    authors=Authors("cvlab-yonsei/AZ-NAS, NB201", batch_size=64, rule="kaiming_normal_fan_in"),
)
