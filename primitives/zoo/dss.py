"""Synaptic diversity of attention and synaptic saliency of all other layers."""

from zcproxy.proxy.published import ONCE_A_USE, Published

PROXY = Published(
    name="dss",
    formula=(
        "sum(in_attention * sum(singular_values(grad(weight)@ones)) * sum(singular_values(weight@ones))"
        " + (1 - in_attention) * abs_dot(grad(weight)@ones, weight@ones))"
    ),
    paper="Zhou et al., Training-free transformer architecture search, CVPR 2022, equations 5 to 7",
    note=(
        "nuclear norms of weight and gradient for the layers of attention, saliency for all others, the first and the "
        "last included. Normalisations are left out, as in `synflow`; the authors keep them. " + ONCE_A_USE
    ),
)
