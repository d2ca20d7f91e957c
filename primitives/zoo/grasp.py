"""Change of the flow of gradients if the weights were removed."""

from zcproxy.proxy.authors import abdelfattah
from zcproxy.proxy.published import ONCE_A_USE, Published
from zcproxy.proxy.reported import on_cells

PROXY = Published(
    name="grasp",
    formula="0 - sum(dot(grad(weight)@curvature, weight))",
    paper="Wang et al., GraSP, ICLR 2020, equation 8; Abdelfattah et al., ICLR 2021",
    note=(
        "the sum over weights and its sign are those of Abdelfattah et al.; the logits are not divided by a "
        "temperature, where the code of GraSP takes 200; a difference of large numbers: two initialisations of 40 "
        f"cells agree at Spearman .43 with 8 samples; {ONCE_A_USE}"
    ),
    batch_size=8,
    authors=abdelfattah(),
    reported=on_cells("all", (0.32, 0.37)) + on_cells("pruned", 0.35),
)
