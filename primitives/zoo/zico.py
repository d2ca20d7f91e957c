"""Mean over deviation of gradients across sub-batches."""

from zcproxy.proxy.authors import Authors
from zcproxy.proxy.published import Published
from zcproxy.proxy.reported import on_cells

PROXY = Published(
    name="zico",
    formula="nansum(log(nansum(mean(abs(grad(weight)@chunks64)) / std(abs(grad(weight)@chunks64)))))",
    paper="Li et al., ZiCo, ICLR 2023, equation 4",
    note=(
        "two halves of a minibatch; deviations are those of magnitudes, as in the paper, where the code takes those of "
        "signed gradients; weights and layers without any deviation are left out, as in the code"
    ),
    authors=Authors(
        "SLDGroup/ZiCo, compute_zico.py and its scripts for ImageNet",
        batch_size=256,
        formula="nansum(log(nansum(mean(abs(grad(weight)@chunks)) / std(grad(weight)@chunks))))",
        note="two minibatches of 128; nothing is said of NAS-Bench-201",
    ),
    reported=on_cells("all", (0.589, 0.61), (0.590, 0.61), (0.584, 0.60)) + on_cells("pruned", 0.607, 0.614, 0.587),
)
