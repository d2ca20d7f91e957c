"""Statistics over the weight gradients of several sub-batches (probe `chunks`)."""

from __future__ import annotations

from torch import Tensor

from zcproxy.formula import Kind, Signature, primitive
from zcproxy.primitives.arrays import inner_products

OVER_SUB_BATCHES = Signature((Kind.WEIGHT_SAMPLES,), Kind.WEIGHTS)
ZICO = "Li et al., ZiCo, ICLR 2023"


@primitive(OVER_SUB_BATCHES, name="sum", formula="sum over the sub-batches, element by element")
def sum_over_sub_batches(x: Tensor) -> Tensor:
    return x.sum(dim=0)


@primitive(OVER_SUB_BATCHES, name="mean", formula="mean over the sub-batches, element by element", reference=ZICO)
def mean_over_sub_batches(x: Tensor) -> Tensor:
    return x.mean(dim=0)


@primitive(OVER_SUB_BATCHES, name="std", formula="std over the sub-batches, element by element", reference=ZICO)
def std_over_sub_batches(x: Tensor) -> Tensor:
    return (x - x.mean(dim=0)).square().mean(dim=0).sqrt()


@primitive(
    Signature((Kind.WEIGHT_SAMPLES,), Kind.SAMPLE_MATRIX),
    name="sample_gram",
    formula="g_i . g_j between the gradients of sub-batches",
    reference="Chen et al., TE-NAS, ICLR 2021",
)
def sub_batch_gram(x: Tensor) -> Tensor:
    rows = x.flatten(1)
    return inner_products(rows, rows)
