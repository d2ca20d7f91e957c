"""Dispersion of the logits between two networks of one weight each, over their mean."""

from zcproxy.proxy.published import Published

_SMALL, _LARGE = "rescale(output@shared_small)", "rescale(output@shared_large)"

PROXY = Published(
    name="epsinas",
    formula=(
        f"last(nanmean(abs({_SMALL} / positive({_SMALL}) - {_LARGE} / positive({_LARGE}))))"
        f" / last((sum({_SMALL}) + sum({_LARGE})) / (sum(positive({_SMALL})) + sum(positive({_LARGE}))))"
    ),
    paper="Gracheva, Neural architecture search: two constant shared weights initialisations, AI Review 2025",
    note=(
        "weights 1e-7 and 1, the pair that the code tries first; logits are the output of the last live layer. In "
        "float64: in the code's float32, deep cells without a shortcut underflow with small weights and have no score. "
        "Code: egracheva/epsinas, NAS-Bench-201/epsinas_utils.py"
    ),
)
