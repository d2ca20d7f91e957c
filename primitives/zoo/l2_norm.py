"""Norm of the weights."""

from zcproxy.proxy.authors import abdelfattah
from zcproxy.proxy.published import ONCE_A_USE, Published

PROXY = Published(
    name="l2_norm",
    formula="sum(frobenius_norm(weight))",
    paper="code of Abdelfattah et al., Zero-cost proxies for lightweight NAS, ICLR 2021",
    note=(
        "depends on the initialisation alone; of live layers, where the code takes those that no signal passes too; "
        f"{ONCE_A_USE}"
    ),
    authors=abdelfattah(),
)
