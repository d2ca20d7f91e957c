"""Dimension of the features, added up in logarithms, times how evenly gradients are spread."""

from zcproxy.proxy.authors import Authors
from zcproxy.proxy.published import Published
from zcproxy.proxy.reported import on_cells

PROXY = Published(
    name="intrain",
    formula=(
        "sum(log(participation_ratio(channel_covariance(output@random_classes))))"
        " * (1 + sum(std(grad(weight)@random_classes) / max(abs(grad(weight)@random_classes))))"
        " / log(depth + 1)"
    ),
    paper="Zhou et al., InTrain: Intrinsic trainability for zero-cost NAS, CVPR 2026",
    note=(
        "features are the outputs of weight layers, the text says activations; gradients by their weights, where the "
        "text takes every parameter (biases and normalisations too); without the 1e-10 that the text adds to spectrum "
        "and denominator, and without the minimum of 1 and each share, which no standard deviation exceeds. From a "
        "summary that has the equations, there is no published code"
    ),
    authors=Authors("the text: 64 images of noise", batch_size=64, note="64 x 64 pixels"),
    reported=on_cells("pruned", 0.669, 0.671, 0.675),
)
