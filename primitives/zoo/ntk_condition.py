"""Condition number of the neural tangent kernel."""

from zcproxy.proxy.authors import Authors
from zcproxy.proxy.published import Published

PROXY = Published(
    name="ntk_condition",
    formula="0 - condition_number(layer_sum(sample_gram(grad(weight)@jacobian)))",
    paper="Chen et al., TE-NAS, ICLR 2021",
    note=(
        "negated, since a small one is better; over the weights of layers, where the code adds those of "
        "normalisations; of the sum of the logits, as in the code"
    ),
    batch_size=8,
    authors=Authors(
        "VITA-Group/TENAS, prune_launch.py and prune_tenas.py",
        batch_size=72,
        rule="kaiming_normal_fan_out",
        note="three draws of the weights",
    ),
)
