"""Effective rank of what layers compute, before and after the non-linearities."""

from zcproxy.proxy.published import Published
from zcproxy.proxy.reported import on_cells, reported

SOURCE = "Husistein et al., NEAR, ICLR 2025, on NATS-Bench"

PROXY = Published(
    name="near",
    formula=(
        "sum(exp(entropy(singular_values(output@data))) + is_activated * exp(entropy(singular_values(input@data))))"
    ),
    paper="Husistein et al., NEAR: A training-free pre-estimator of machine learning model performance, ICLR 2025",
    note=(
        "of channels x all samples and positions, where the authors draw as many rows in a row as there are channels; "
        "outputs of weight layers and of the non-linearities that feed one, once for each layer that they feed, where "
        "the code (ReiherGroup/NEAR, near_score.py) takes the output of every module with a weight or a non-linearity "
        "once, normalisations too; it takes the mean over draws of the weights, 32 in the paper"
    ),
    reported=on_cells("all", 0.70, 0.69, 0.66, source=SOURCE)
    + reported("nats_sss", "all", SOURCE, {"cifar10": 0.74, "cifar100": 0.62, "imagenet16-120": 0.76}),
)
