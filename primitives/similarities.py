"""Similarity of two relations: of two networks between the same samples or channels, or of two tensors of one."""

from __future__ import annotations

import torch
from torch import Tensor

from zcproxy.formula import Kind, Signature, primitive
from zcproxy.primitives.arrays import MATRICES, where_defined

PAIRS = tuple(Signature((kind, kind), Kind.LAYER) for kind in MATRICES)
"""Signatures of what compares two matrices. Those of different sizes are NaN: the sweep sees to it."""

MOST_ELEMENTS = 1 << 22
"""Elements of the matrices between channels that are held at a time."""


@primitive(
    *PAIRS,
    formula="<K, L> / (|K|_F |L|_F), of centred Gram matrices the linear CKA",
    domain="neither matrix all 0",
    reference="Cristianini et al., On kernel-target alignment, NIPS 2001; Kornblith et al., Similarity of neural "
    "network representations revisited, ICML 2019",
    commutative=True,
)
def alignment(first: Tensor, second: Tensor) -> Tensor:
    """Cosine of the angle between two matrices: 1 where they are equal up to a factor."""
    sizes = first.square().sum().sqrt() * second.square().sum().sqrt()
    return (first * second).sum() / where_defined(sizes > 0, sizes)


def _unit_rows(matrix: Tensor) -> Tensor:
    """Return rows of length 1; a row of zeros stays."""
    lengths = matrix.square().sum(dim=-1, keepdim=True).sqrt()
    return matrix / torch.where(lengths > 0, lengths, torch.ones_like(lengths))


@primitive(
    *PAIRS,
    formula="mean of (K_ij / |K_i| - L_ij / |L_i|)^2, rows of zeros as they are",
    reference="Tung and Mori, Similarity-preserving knowledge distillation, ICCV 2019",
    commutative=True,
)
def relation_distance(first: Tensor, second: Tensor) -> Tensor:
    """Mean squared difference of two relations whose rows have unit length."""
    return (_unit_rows(first) - _unit_rows(second)).square().mean()


@primitive(
    Signature((Kind.ACTIVATIONS, Kind.ACTIVATIONS), Kind.LAYER),
    Signature((Kind.WEIGHTS, Kind.WEIGHTS), Kind.LAYER),
    formula="mean over samples (or filters) and channels i of |G_i / |G_i| - H_i / |H_i||^2, G and H the Gram matrices "
    "between the channels of one sample",
    reference="Liu et al., Exploring inter-channel correlation for diversity-preserved distillation, ICCV 2021",
    commutative=True,
)
def channel_relation_distance(first: Tensor, second: Tensor) -> Tensor:
    """Compare the relations between channels sample by sample; a part of the samples at a time."""
    one, other = first.flatten(2) if first.dim() > 2 else first[..., None], second.reshape(*first.shape[:2], -1)
    samples, channels = one.shape[:2]
    part = max(1, MOST_ELEMENTS // channels**2)
    total = one.new_zeros(())
    for start in range(0, samples, part):
        rows = [each[start : start + part] for each in (one, other)]
        grams = [_unit_rows(each @ each.transpose(1, 2)) for each in rows]
        total = total + (grams[0] - grams[1]).square().sum()
    return total / (samples * channels)
