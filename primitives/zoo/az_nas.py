"""Expressivity, progressivity, trainability and complexity: the sum of the logarithms of their ranks."""

from zcproxy.proxy.published import PublishedAggregate
from zcproxy.proxy.reported import on_cells

PROXY = PublishedAggregate(
    name="az_nas",
    members=("az_expressivity", "az_progressivity", "az_trainability", "az_complexity"),
    rule="log_ranks",
    paper="Lee and Ham, AZ-NAS, CVPR 2024",
    reported=on_cells("all", 0.741, 0.723, 0.710) + on_cells("pruned", 0.712, 0.696, 0.673),
)
