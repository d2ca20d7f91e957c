"""How near to 1 the largest singular values of the blocks' Jacobians are."""

from zcproxy.primitives.zoo.authors import Authors
from zcproxy.primitives.zoo.published import Published

PROXY = Published(
    name="az_trainability",
    formula=(
        "2 - nanmean(max(singular_values(block_jacobian@signs)) + 1 / max(singular_values(block_jacobian@signs)))"
    ),
    paper="Lee and Ham, AZ-NAS, CVPR 2024, equations 6 to 11",
    note=(
        "blocks as az_expressivity has them; on noise, where the code takes images; blocks whose input's height or "
        "width is no multiple of the output's are left out"
    ),
    authors=Authors("cvlab-yonsei/AZ-NAS, NB201", batch_size=64, rule="kaiming_normal_fan_in"),
)
