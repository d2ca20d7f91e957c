"""Evolved proxy of EZNAS, as its text describes it."""

from zcproxy.proxy.authors import Authors
from zcproxy.proxy.published import Published

PROXY = Published(
    name="eznas_a_text",
    formula=(
        "nansum(frobenius_norm(sigmoid(slice_logabsdet(sign(grad(weight)@noise64))))"
        " / (is_activated * positive(resolution - 1)))"
        " / (sum(is_activated * positive(resolution - 1)) + dead_layers)"
    ),
    paper="Akhauri et al., EZNAS, NeurIPS 2022",
    note=(
        "the gradient of the weight under noise, where the code takes that at the input of the ReLU; ln |det| "
        "where torch.logdet is undefined for a negative determinant; layers behind a ReLU, and dead ones as 0; "
        "tau .38 on 200 cells of NAS-Bench-201 (CIFAR-10), where the code's reading has .59"
    ),
    authors=Authors("the code of EZNAS: 16 images on CIFAR", batch_size=16, rule="kaiming_normal_fan_out"),
)
