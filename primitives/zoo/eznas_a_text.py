"""Evolved proxy of EZNAS, as its text describes it."""

from zcproxy.primitives.zoo.authors import Authors
from zcproxy.primitives.zoo.published import Published

PROXY = Published(
    name="eznas_a_text",
    formula="nanmean(frobenius_norm(sigmoid(slice_logabsdet(sign(grad(weight)@noise)))))",
    paper="Akhauri et al., EZNAS, NeurIPS 2022",
    note=(
        "the gradient of the weight under noise, where the code takes that at the input of the ReLU; ln |det| "
        "where torch.logdet is undefined for a negative determinant; layers without square slices are left out; "
        "ranks NAS-Bench-201 at a tau of .225, where the code's reading reaches .59 to .61"
    ),
    authors=Authors("the code of EZNAS: 16 images on CIFAR", batch_size=16, rule="kaiming_normal_fan_out"),
)
