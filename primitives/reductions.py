"""A tensor, matrix or spectrum of one layer to one number."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from zcproxy.formula import Kind, Signature, primitive, signatures
from zcproxy.primitives.arrays import MATRICES, absolute_sum, euclidean_norm, where_defined

ARRAYS = signatures([(Kind.WEIGHTS, Kind.ACTIVATIONS, Kind.SPECTRUM, *MATRICES)], Kind.LAYER)
SAMPLED = signatures([(Kind.WEIGHTS, Kind.ACTIVATIONS)], Kind.LAYER)
PAIRS = [pair for kind in (Kind.WEIGHTS, Kind.ACTIVATIONS) for pair in signatures([kind, kind], Kind.LAYER)]
EZNAS = "Akhauri et al., EZNAS, NeurIPS 2022"


def _deviation(x: Tensor) -> Tensor:
    return euclidean_norm(x - x.mean()) / math.sqrt(x.numel())


def _standardized_moment(x: Tensor, order: int) -> Tensor:
    centred = x - x.mean()
    second = centred.square().mean()
    return centred.pow(order).mean() / where_defined(second > 0, second) ** (order / 2)


@primitive(*ARRAYS, name="sum", formula="sum of the elements")
def sum_of_elements(x: Tensor) -> Tensor:
    return x.sum()


@primitive(*ARRAYS, name="nansum", formula="sum of the elements that are defined", domain="one defined or more")
def sum_of_defined_elements(x: Tensor) -> Tensor:
    return where_defined(~x.isnan().all(), x.nansum())


@primitive(*ARRAYS, name="nanmean", formula="mean of the elements that are defined", domain="one defined or more")
def mean_of_defined_elements(x: Tensor) -> Tensor:
    return x.nansum() / (~x.isnan()).sum()


@primitive(*ARRAYS, name="mean", formula="mean of the elements", reference=EZNAS)
def mean_of_elements(x: Tensor) -> Tensor:
    return x.mean()


@primitive(*ARRAYS, name="min", formula="smallest element")
def smallest_element(x: Tensor) -> Tensor:
    return x.min()


@primitive(*ARRAYS, name="max", formula="largest element")
def largest_element(x: Tensor) -> Tensor:
    return x.max()


@primitive(*ARRAYS, name="std", formula="sqrt(mean((x - mean x)^2))")
def deviation_of_elements(x: Tensor) -> Tensor:
    return _deviation(x)


@primitive(*ARRAYS, formula="mean |x|", reference=EZNAS)
def mean_abs(x: Tensor) -> Tensor:
    return absolute_sum(x) / x.numel()


@primitive(*ARRAYS, formula="sum |x|")
def l1_norm(x: Tensor) -> Tensor:
    return absolute_sum(x)


@primitive(*ARRAYS, formula="sqrt(sum x^2)", reference=EZNAS)
def frobenius_norm(x: Tensor) -> Tensor:
    return euclidean_norm(x)


@primitive(*ARRAYS, Signature((Kind.NETWORK_MATRIX,), Kind.NETWORK), formula="number of elements", reference=EZNAS)
def numel(x: Tensor) -> Tensor:
    return torch.tensor(float(x.numel()), dtype=x.dtype, device=x.device)


@primitive(*SAMPLED, formula="mean((x - mean x)^3) / std(x)^3", domain="std x > 0")
def skewness(x: Tensor) -> Tensor:
    return _standardized_moment(x, 3)


@primitive(*SAMPLED, formula="mean((x - mean x)^4) / std(x)^4", domain="std x > 0")
def kurtosis(x: Tensor) -> Tensor:
    return _standardized_moment(x, 4)


@primitive(*SAMPLED, formula="share of elements > 0")
def positive_fraction(x: Tensor) -> Tensor:
    return torch.count_nonzero(x > 0).to(x.dtype) / x.numel()


@primitive(*SAMPLED, formula="share of elements equal to 0")
def zero_fraction(x: Tensor) -> Tensor:
    return 1.0 - (x != 0).sum().to(x.dtype) / x.numel()


@primitive(*ARRAYS, formula="-sum p ln p with p = |x| / sum |x|", domain="x not all 0")
def entropy(x: Tensor) -> Tensor:
    total = absolute_sum(x)
    share = x.abs() / where_defined(total > 0, total)
    return -torch.special.xlogy(share, share).sum()


@primitive(Signature((Kind.ACTIVATIONS,), Kind.ACTIVATIONS), formula="sum over the positions of a sample's channel")
def position_sum(x: Tensor) -> Tensor:
    return x.flatten(2).sum(dim=2) if x.dim() > 2 else x.clone()


@primitive(*PAIRS, formula="sum x y", commutative=True)
def dot(x: Tensor, y: Tensor) -> Tensor:
    return (x * y).sum()


@primitive(*PAIRS, formula="sum |x y|", commutative=True, reference="Lee et al., SNIP, ICLR 2019")
def abs_dot(x: Tensor, y: Tensor) -> Tensor:
    return absolute_sum(x * y)


@primitive(*PAIRS, formula="sum x y / (|x| |y|)", domain="x, y not all 0", commutative=True, reference=EZNAS)
def cosine_similarity(x: Tensor, y: Tensor) -> Tensor:
    norms = euclidean_norm(x) * euclidean_norm(y)
    return (x * y).sum() / where_defined(norms > 0, norms)


@primitive(*PAIRS, formula="share of elements whose signs differ", commutative=True, reference=EZNAS)
def hamming_distance(x: Tensor, y: Tensor) -> Tensor:
    return torch.count_nonzero((x > 0) != (y > 0)).to(x.dtype) / x.numel()


@primitive(*PAIRS, formula="sum p ln(p / q) with p = softmax x, q = softmax y over all elements", reference=EZNAS)
def kl_divergence(x: Tensor, y: Tensor) -> Tensor:
    x, y = x - x.max(), y - y.max()
    weights, total, other_total = x.exp(), x.exp().sum(), y.exp().sum()
    return ((weights * (x - y)).sum() / total) + torch.log(other_total / total)
