"""Evolved proxy of EZNAS, as its code computes it."""

from zcproxy.primitives.zoo.authors import Authors
from zcproxy.primitives.zoo.published import Published
from zcproxy.primitives.zoo.reported import EZNAS, on_cells, on_nds, reported

PROXY = Published(
    name="eznas_a",
    formula="nanmean(frobenius_norm(sigmoid(slice_logabsdet(sign(grad(preactivation)@logits)))))",
    paper="Akhauri et al., EZNAS, NeurIPS 2022",
    note=(
        "the gradient at the input of the ReLU, where the text takes that of the weight under noise; ln |det| "
        "where torch.logdet is undefined for a negative determinant; layers without square slices are left out; "
        "all layers with square maps, where the code takes those in ReLU-Conv-BN triples"
    ),
    authors=Authors("the code of EZNAS: 16 images on CIFAR", batch_size=16, rule="kaiming_normal_fan_out"),
    reported=on_cells("all", (0.620, 0.65), (0.617, 0.65), 0.61, source=EZNAS)
    + on_nds(0.56, 0.45, 0.52, 0.51, 0.44)
    + reported("nats_sss", "all", EZNAS, {"cifar10": 0.707}),
)
