"""Rank aggregate of VKDNW: its score with correlation of Jacobians, expressivity, trainability and complexity."""

from zcproxy.proxy.authors import Authors
from zcproxy.proxy.published import PublishedAggregate
from zcproxy.proxy.reported import on_cells

PROXY = PublishedAggregate(
    name="vkdnw_agg",
    members=("vkdnw_single", "jacov", "az_expressivity", "az_trainability", "az_complexity"),
    rule="log_ranks",
    paper="Tybl and Neumann, Training-free NAS through variance of knowledge of deep network weights, CVPR 2025",
    authors={
        "jacov": Authors(
            "ondratybl/VKDNW, NB201/ZeroShotProxy/compute_jacov_score.py", batch_size=64, rule="kaiming_normal_fan_in"
        )
    },
    reported=on_cells("pruned", 0.750, 0.753, 0.743),
)
