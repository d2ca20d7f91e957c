"""Synaptic diversity of attention and synaptic saliency of all other layers."""

from zcproxy.proxy.published import ONCE_A_USE, Published

PROXY = Published(
    name="dss",
    formula=(
        "sum(in_attention * sum(singular_values(grad(weight)@normalised_ones))"
        " * sum(singular_values(weight@normalised_ones))"
        " + (1 - in_attention) * abs_dot(grad(weight)@normalised_ones, weight@normalised_ones))"
    ),
    paper="Zhou et al., Training-free transformer architecture search, CVPR 2022, equations 5 to 7",
    note=(
        "nuclear norms of weight and gradient for the layers of attention, saliency for all others, the first and the "
        "last included. Normalisations of layers act, as in the authors' code: without them scores of attention are so "
        "large that a softmax has no gradient. " + ONCE_A_USE
    ),
)
