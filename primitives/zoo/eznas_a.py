"""Evolved proxy of EZNAS, as its code computes it."""

from zcproxy.proxy.authors import Authors
from zcproxy.proxy.published import Published
from zcproxy.proxy.reported import EZNAS, on_cells, on_nds, reported

PROXY = Published(
    name="eznas_a",
    formula=(
        "nansum(frobenius_norm(sigmoid(slice_logabsdet("
        "sign(grad(input)@logits64 * positive(preactivation@logits64)))))"
        " / (is_activated * positive(resolution - 1)))"
        " / (sum(is_activated * positive(resolution - 1)) + dead_layers)"
    ),
    paper="Akhauri et al., EZNAS, NeurIPS 2022",
    note=(
        "the gradient at the input of each ReLU, where the text takes that of the weight under noise; layers behind a "
        "ReLU, and dead ones as 0, where the code takes ReLU-Conv-BN triples: in NAS-Bench-201 the same, but for cells "
        "without a convolution, where the code pairs its modules differently; ln |det|, where the code takes 0 for a "
        "negative determinant (Spearman .9997 between both on 95 cells); undefined without square maps behind a ReLU"
    ),
    authors=Authors("the code of EZNAS: 16 images on CIFAR", batch_size=16, rule="kaiming_normal_fan_out"),
    reported=on_cells("all", (0.620, 0.65), (0.617, 0.65), 0.61, source=EZNAS)
    + on_nds(0.56, 0.45, 0.52, 0.51, 0.44)
    + reported("nats_sss", "all", EZNAS, {"cifar10": 0.707}),
)
