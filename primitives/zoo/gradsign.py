"""Agreement between samples on the sign of the gradient by each weight."""

from zcproxy.proxy.authors import Authors
from zcproxy.proxy.published import ONCE_A_USE, Published
from zcproxy.proxy.reported import on_cells

PROXY = Published(
    name="gradsign",
    formula="sum(l1_norm(sum(sign(grad(weight)@samples))))",
    paper="Zhang and Jia, GradSign, ICLR 2022",
    note=(
        "normalisation uses the statistics of the whole batch; the code passes each sample through the network alone; "
        "the sum over weights, as in the code for zero-cost-nas (that for NASWOT takes their mean); "
        f"{ONCE_A_USE}"
    ),
    batch_size=8,
    authors=Authors("cmu-catalyst/GradSign, gradsign.py", batch_size=128, note="each sample passes the network alone"),
    reported=on_cells("all", 0.618, 0.594, 0.575),
)
