"""Synaptic flow: product of all weights along all paths."""

from zcproxy.proxy.authors import Authors
from zcproxy.proxy.published import ONCE_A_USE, Published
from zcproxy.proxy.reported import on_cells, on_nds

PROXY = Published(
    name="synflow",
    formula="sum(sum(grad(weight)@ones * weight@ones))",
    paper="Tanaka et al., Pruning neural networks without any data, NeurIPS 2020; Abdelfattah et al., ICLR 2021",
    note=ONCE_A_USE,
    authors=Authors("SamsungLabs/zero-cost-nas, nasbench2_pred.py", note="one sample of ones"),
    reported=on_cells("all", 0.571, 0.565, 0.555)
    + on_cells("pruned", 0.561, 0.553, 0.531)
    + on_nds(0.37, -0.06, 0.02, 0.03, -0.03),
)
