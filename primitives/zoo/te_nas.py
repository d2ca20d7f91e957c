"""Trainability and expressivity: the sum of the ranks by both."""

from zcproxy.proxy.published import PublishedAggregate

PROXY = PublishedAggregate(
    name="te_nas",
    members=("ntk_condition", "linear_regions"),
    rule="ranks",
    paper="Chen et al., TE-NAS, ICLR 2021",
)
