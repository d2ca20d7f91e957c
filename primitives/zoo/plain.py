"""Weight times gradient."""

from zcproxy.proxy.authors import abdelfattah
from zcproxy.proxy.published import ONCE_A_USE, Published

PROXY = Published(
    name="plain",
    formula="sum(dot(grad(weight)@data64, weight))",
    paper="code of Abdelfattah et al., Zero-cost proxies for lightweight NAS, ICLR 2021",
    note=(
        "products keep their signs, so that weights whose removal raises the loss make up for those that lower it; "
        f"{ONCE_A_USE}"
    ),
    authors=abdelfattah(),
)
