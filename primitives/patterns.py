"""Patterns of signs that units have over the samples, one row per pattern, and how many there are in a network."""

from __future__ import annotations

import torch
from torch import Tensor

from zcproxy.formula import Kind, Signature, primitive
from zcproxy.primitives.arrays import where_defined

SWAP = "Peng et al., SWAP-NAS, ICLR 2024"
BITS = 62
"""Samples whose signs are held in one whole number."""


def _distinct_rows(x: Tensor) -> Tensor:
    """Return the places of one row each of all that differ; `torch.unique` over an axis takes ten times as long."""
    signs = (x > 0).to(torch.int64)
    keys = torch.zeros(len(x), dtype=torch.int64, device=x.device)
    for start in range(0, signs.shape[1], BITS):
        part = signs[:, start : start + BITS]
        codes = part @ 2 ** torch.arange(part.shape[1], device=x.device)
        _, known = torch.unique(codes, return_inverse=True)
        distinct, keys = torch.unique(keys * len(x) + known, return_inverse=True)
    places = torch.arange(len(x), device=x.device)
    first = torch.full((len(distinct),), len(x), dtype=torch.int64, device=x.device)
    return first.scatter_reduce(0, keys, places, "amin")


@primitive(
    Signature((Kind.ACTIVATIONS,), Kind.PATTERNS),
    formula="the distinct patterns of signs (> 0 or not) that the units have over the samples",
    reference=SWAP,
)
def unit_patterns(x: Tensor) -> Tensor:
    rows = x.movedim(1, -1).flatten(1).T
    return (rows[_distinct_rows(rows)] > 0).to(x.dtype)


@primitive(
    Signature((Kind.PATTERNS,), Kind.NETWORK),
    formula="number of distinct patterns in all layers together",
    reference=SWAP,
)
def distinct_patterns(patterns: Tensor) -> Tensor:
    """Take the patterns of all layers along the first axis."""
    count = patterns.new_tensor(float(len(_distinct_rows(patterns))))
    return where_defined(~patterns.isnan().any(), count)
