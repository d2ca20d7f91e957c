"""Relations between samples, channels or filters: tensors of one layer to a square matrix."""

from __future__ import annotations

import torch
from torch import Tensor

from zcproxy.formula import Kind, Signature, primitive, signatures
from zcproxy.primitives.arrays import MATRICES, inner_products, where_defined

TO_SAMPLES = Signature((Kind.ACTIVATIONS,), Kind.SAMPLE_MATRIX)
TO_CHANNELS = Signature((Kind.ACTIVATIONS,), Kind.CHANNEL_MATRIX)
TO_FILTERS = Signature((Kind.WEIGHTS,), Kind.CHANNEL_MATRIX)
NASWOT = "Mellor et al., Neural architecture search without training, ICML 2021"
ROUNDING = 1e-6
"""A variance below this share of the squared mean is rounding error: the row counts as constant."""
EZNAS = "Akhauri et al., EZNAS, NeurIPS 2022"


def _samples(x: Tensor) -> Tensor:
    """Return samples x features. The order of features is free, so a channels-last tensor needs no copy."""
    return x.movedim(1, -1).flatten(1)


def _channels(x: Tensor) -> Tensor:
    """Return channels x places, a transposed view where the tensor is channels-last."""
    return x.movedim(1, -1).flatten(0, -2).T


def _correlation(rows: Tensor) -> Tensor:
    means = rows.mean(dim=1)
    covariance = inner_products(rows, rows) / rows.shape[1] - torch.outer(means, means)
    variances = covariance.diagonal()
    deviations = where_defined(variances > ROUNDING * means.square(), variances).sqrt()
    return covariance / torch.outer(deviations, deviations)


def _agreement(rows: Tensor) -> Tensor:
    code = (rows > 0).to(rows.dtype)
    both = inner_products(code, code)
    ones = both.diagonal()
    return rows.shape[1] - ones[:, None] - ones + 2.0 * both


@primitive(TO_SAMPLES, formula="x_i . x_j between samples")
def sample_gram(x: Tensor) -> Tensor:
    rows = _samples(x)
    return inner_products(rows, rows)


@primitive(TO_SAMPLES, formula="Pearson correlation between samples", domain="no sample constant")
def sample_correlation(x: Tensor) -> Tensor:
    return _correlation(_samples(x))


@primitive(TO_SAMPLES, formula="number of units whose sign agrees between samples i and j", reference=NASWOT)
def sample_hamming(x: Tensor) -> Tensor:
    return _agreement(_samples(x))


@primitive(TO_CHANNELS, formula="x_i . x_j between channels")
def channel_gram(x: Tensor) -> Tensor:
    rows = _channels(x)
    return inner_products(rows, rows)


@primitive(TO_CHANNELS, formula="covariance between channels, over samples and positions")
def channel_covariance(x: Tensor) -> Tensor:
    rows = _channels(x)
    centred = rows - rows.mean(dim=1, keepdim=True)
    return inner_products(centred, centred) / rows.shape[1]


@primitive(TO_CHANNELS, formula="Pearson correlation between channels", domain="no channel constant")
def channel_correlation(x: Tensor) -> Tensor:
    return _correlation(_channels(x))


@primitive(TO_CHANNELS, formula="number of places whose sign agrees between channels i and j", reference=NASWOT)
def channel_hamming(x: Tensor) -> Tensor:
    return _agreement(_channels(x))


@primitive(TO_FILTERS, formula="w_i . w_j between filters")
def filter_gram(x: Tensor) -> Tensor:
    rows = x.flatten(1)
    return inner_products(rows, rows)


@primitive(TO_FILTERS, formula="Pearson correlation between filters", domain="no filter constant")
def filter_correlation(x: Tensor) -> Tensor:
    return _correlation(x.flatten(1))


@primitive(TO_FILTERS, formula="w_i . w_j between input channels")
def input_gram(x: Tensor) -> Tensor:
    rows = x.transpose(0, 1).flatten(1)
    return inner_products(rows, rows)


@primitive(TO_FILTERS, formula="Pearson correlation between input channels", domain="no input channel constant")
def input_correlation(x: Tensor) -> Tensor:
    return _correlation(x.transpose(0, 1).flatten(1))


@primitive(
    Signature((Kind.ACTIVATIONS, Kind.ACTIVATIONS), Kind.SAMPLE_MATRIX),
    Signature((Kind.WEIGHTS, Kind.WEIGHTS), Kind.CHANNEL_MATRIX),
    formula="x y^T with samples (or filters) as rows",
    reference=EZNAS,
)
def matmul(x: Tensor, y: Tensor) -> Tensor:
    return inner_products(x.flatten(1), y.flatten(1))


@primitive(
    *signatures([(*MATRICES, Kind.NETWORK_MATRIX)]),
    formula="H M H with H = I - 1 / n: the mean of its row and of its column is taken off each element",
    reference="Kornblith et al., Similarity of neural network representations revisited, ICML 2019",
)
def centre(matrix: Tensor) -> Tensor:
    """Turn the Gram matrix of rows into that of the rows less their mean."""
    rows, columns = matrix.mean(dim=-1, keepdim=True), matrix.mean(dim=-2, keepdim=True)
    return matrix - rows - columns + matrix.mean(dim=(-2, -1), keepdim=True)
