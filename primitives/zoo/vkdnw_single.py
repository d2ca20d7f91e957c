"""Evenness of what samples tell about single weights, among networks with as many parameter tensors."""

from zcproxy.proxy.authors import Authors
from zcproxy.proxy.published import Published
from zcproxy.proxy.reported import reported

PROXY = Published(
    name="vkdnw_single",
    formula="decile_entropy(information@fisher) + sqrt(numel(information@fisher))",
    paper="Tybl and Neumann, VKDNW, CVPR 2025, equation 12",
    note="as vkdnw_entropy; counts parameter tensors of all kinds, as the code does, where the text counts layers",
    batch_size=8,
    authors=Authors(
        "ondratybl/VKDNW, NB201/ZeroShotProxy/compute_vkdnw_score.py", batch_size=64, rule="kaiming_normal_fan_in"
    ),
    reported=reported(
        "nasbench201", "pruned", "Tybl and Neumann, VKDNW, CVPR 2025, table 1", {"imagenet16-120": 0.622}
    ),
)
