"""Evenness of the features' singular values, and curvature of the logits along a circle of inputs."""

from zcproxy.proxy.authors import Authors
from zcproxy.proxy.published import Published

_EVENNESS = "log(1 + sum(min(singular_values(output@data)) / max(singular_values(output@data))))"
_CURVATURE = "log(1 + curvature(motion@circle))"

PROXY = Published(
    name="dextr",
    formula=f"{_EVENNESS} * {_CURVATURE} / ({_EVENNESS} + {_CURVATURE})",
    paper="Asthana et al., Dextr, TMLR 2025, equation 8",
    note=(
        "features of all samples at once, where the authors take one; of layers with weights, where the code takes "
        "every module's output; the curvature of the first ten logits, where the code draws ten. The paper reports "
        "Spearman .90 / .91 / .87 on NAS-Bench-201"
    ),
    authors=Authors("rohanasthana/Dextr, measures/dextr.py; the text: one sample", batch_size=1),
)
