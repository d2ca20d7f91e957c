"""Entropy of the spectrum of the products between samples of gradients by the weights."""

from zcproxy.proxy.published import Published

PROXY = Published(
    name="ibfs",
    formula="log(effective_rank(layer_sum(sample_gram(grad(weight)@jacobian))))",
    paper="IBFS, ICML 2025",
    note=(
        "from a description, we did not find the text: the entropy of the spectrum of the Gram matrix of Jacobians by "
        "the weights between samples, summed over layers. Our reading: the Jacobian of the sum of the logits, the "
        "eigenvalues divided by their sum, the natural logarithm. The authors report tau .752 on CIFAR-10 of "
        "NAS-Bench-201 and do not state the population"
    ),
    batch_size=8,
)
