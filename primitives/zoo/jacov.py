"""Correlation between samples of the gradient by the input."""

from zcproxy.proxy.authors import Authors
from zcproxy.proxy.published import Published
from zcproxy.proxy.reported import on_cells

PROXY = Published(
    name="jacov",
    formula="0 - first(gaussian_divergence(sample_correlation(grad(input)@logits64)))",
    paper="Mellor et al., Neural architecture search without training, version 1, arXiv 2006.04647v1, 2020",
    note="the gradient by the input of the first live layer, which has to read the images themselves",
    authors=Authors(
        "BayesWatch/nas-without-training, search.py of version 1",
        batch_size=256,
        formula="0 - first(gaussian_divergence(sample_correlation(grad(input)@evaluation)))",
        note="their networks have one logit",
    ),
    reported=on_cells("pruned", 0.616, 0.639, 0.602),
)
