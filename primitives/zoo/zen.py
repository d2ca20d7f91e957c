"""Movement of the features under a small change of the input, with the scale that normalisations take away."""

from zcproxy.proxy.authors import Authors
from zcproxy.proxy.published import Published
from zcproxy.proxy.reported import on_cells

PROXY = Published(
    name="zen",
    formula=(
        "log(last(l1_norm(features@redrawn_delta)))"
        " + 0.5 * sum(is_normalized * log(0.81 + 0.19 * (trace(channel_covariance(output@redrawn)) / channels)))"
    ),
    paper="Lin et al., Zen-NAS, ICCV 2021",
    note=(
        "the code's running variances (momentum 0.1, from 1, after the two passes: 0.81 + 0.19 times the variance of "
        "the batch), where the text has the variance: so NAS-Bench-Suite-Zero's scores agree at Spearman .99, not .93 "
        "(123 cells); of the sum over samples, where the authors take the mean: a constant; of normalisations "
        "right after a live weight layer, where the code takes every one, those of dead layers and of the head too; "
        "residual links stay, where the authors remove them in their own space"
    ),
    authors=Authors(
        "idstcv/ZenNAS, compute_zen_score.py", batch_size=16, note="the mean over 32 draws of weights and noise"
    ),
    reported=on_cells("all", 0.296, 0.283, 0.303) + on_cells("pruned", 0.102, 0.079, 0.091),
)
