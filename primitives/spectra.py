"""Determinants, ranks, eigenvalues and singular values."""

from __future__ import annotations

import torch
from torch import Tensor

from zcproxy.formula import Kind, Signature, primitive, signatures
from zcproxy.primitives.arrays import MATRICES, inner_products, where_defined

MATRIX = [*signatures([MATRICES], Kind.LAYER), Signature((Kind.NETWORK_MATRIX,), Kind.NETWORK)]
SLICES = signatures([(Kind.WEIGHTS, Kind.ACTIVATIONS)])
EZNAS = "Akhauri et al., EZNAS, NeurIPS 2022"


def _eigenvalues(matrix: Tensor) -> Tensor:
    """Return the eigenvalues of the symmetric part, descending: NaN for a matrix that is not finite."""
    finite = torch.isfinite(matrix).flatten(-2).all(-1)
    symmetric = 0.5 * (matrix + matrix.mT).double()
    try:
        found = torch.linalg.eigvalsh(torch.where(finite[..., None, None], symmetric, 0.0))
    except RuntimeError:  # torch.linalg.LinAlgError: no convergence
        if matrix.dim() > 2:
            return torch.stack([_eigenvalues(each) for each in matrix])
        return torch.full_like(matrix[0], torch.nan)
    return where_defined(finite[..., None], found.flip(-1).to(matrix.dtype))


def _trace(matrix: Tensor) -> Tensor:
    return matrix.diagonal(dim1=-2, dim2=-1).sum(-1)


@primitive(*signatures([MATRICES], Kind.SPECTRUM), formula="eigenvalues of the symmetric part, descending")
def eigenvalues(matrix: Tensor) -> Tensor:
    return _eigenvalues(matrix)


def _smaller_side(rows: Tensor) -> Tensor:
    """Return a matrix with its smaller side as rows: Gram matrices of both sides have the same eigenvalues but 0."""
    return rows if rows.shape[0] <= rows.shape[1] else rows.T


def _singular_values(rows: Tensor) -> Tensor:
    """Return roots of eigenvalues, in double precision: of a small value the root keeps half of the digits."""
    smaller = _smaller_side(rows).double()
    return _eigenvalues(inner_products(smaller, smaller)).clamp(min=0.0).sqrt().to(rows.dtype)


@primitive(Signature((Kind.WEIGHTS,), Kind.SPECTRUM), formula="singular values of filters x rest, descending")
def singular_values(weight: Tensor) -> Tensor:
    return _singular_values(weight.flatten(1))


@primitive(
    Signature((Kind.ACTIVATIONS,), Kind.SPECTRUM),
    name="singular_values",
    formula="singular values of channels x samples and positions, descending",
)
def singular_values_of_activations(x: Tensor) -> Tensor:
    return _singular_values(x.movedim(1, -1).flatten(0, -2).T)


@primitive(*MATRIX, formula="ln det", domain="determinant > 0", reference=EZNAS, stacks=True)
def logdet(matrix: Tensor) -> Tensor:
    sign, magnitude = torch.linalg.slogdet(matrix.double())
    return where_defined(sign > 0, magnitude).to(matrix.dtype)


@primitive(*MATRIX, formula="ln det(n M / trace(M) + I / 100)", domain="trace > 0", stacks=True)
def ridge_logdet(matrix: Tensor) -> Tensor:
    """Log-determinant that singular kernels have too: the matrix at unit mean diagonal, plus a hundredth."""
    rows = matrix.shape[-1]
    size = _trace(matrix) / rows
    scaled = matrix / where_defined(size > 0, size)[..., None, None]
    ridge = 0.01 * torch.eye(rows, dtype=matrix.dtype, device=matrix.device)
    sign, magnitude = torch.linalg.slogdet(scaled + ridge)
    return where_defined(sign > 0, magnitude)


@primitive(*MATRIX, formula="determinant", reference=EZNAS)
def det(matrix: Tensor) -> Tensor:
    return torch.linalg.det(matrix.double()).to(matrix.dtype)


@primitive(
    Signature((Kind.NETWORK_MATRIX,), Kind.NETWORK),
    formula="sqrt(M_11 M_22 - M_12^2) / M_11^(3/2): of a curve whose velocity and acceleration have these products",
    domain="2 x 2, M_11 > 0, determinant >= 0",
    reference="Poole et al., Exponential expressivity in deep neural networks, NIPS 2016",
)
def curvature(matrix: Tensor) -> Tensor:
    if len(matrix) != 2:
        return torch.full_like(matrix[0, 0], torch.nan)
    speed, area = matrix[0, 0], matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0]
    return where_defined(area >= 0, area).sqrt() / where_defined(speed > 0, speed) ** 1.5


@primitive(*MATRIX, formula="sum of the diagonal", stacks=True)
def trace(matrix: Tensor) -> Tensor:
    return _trace(matrix)


@primitive(*MATRIX, formula="largest eigenvalue", stacks=True)
def largest_eigenvalue(matrix: Tensor) -> Tensor:
    return _eigenvalues(matrix)[..., 0]


@primitive(*MATRIX, formula="smallest eigenvalue", stacks=True)
def smallest_eigenvalue(matrix: Tensor) -> Tensor:
    return _eigenvalues(matrix)[..., -1]


@primitive(
    *MATRIX, formula="largest / smallest eigenvalue", domain="smallest eigenvalue > 0", reference=EZNAS, stacks=True
)
def condition_number(matrix: Tensor) -> Tensor:
    values = _eigenvalues(matrix)
    return values[..., 0] / where_defined(values[..., -1] > 0, values[..., -1])


@primitive(*MATRIX, formula="largest eigenvalue / trace", domain="trace != 0", reference=EZNAS, stacks=True)
def dominance(matrix: Tensor) -> Tensor:
    total = _trace(matrix)
    return _eigenvalues(matrix)[..., 0] / where_defined(total != 0, total)


@primitive(
    *MATRIX,
    formula="trace / largest eigenvalue: |A|_F^2 / |A|_2^2 where M = A A^T",
    domain="largest eigenvalue != 0",
    reference="Rudelson and Vershynin, Sampling from large matrices, JACM 2007",
    stacks=True,
)
def stable_rank(matrix: Tensor) -> Tensor:
    largest = _eigenvalues(matrix)[..., 0]
    return _trace(matrix) / where_defined(largest != 0, largest)


def _participation_ratio(matrix: Tensor) -> Tensor:
    squares = matrix.square().sum((-2, -1))
    return _trace(matrix).square() / where_defined(squares > 0, squares)


@primitive(
    *MATRIX,
    formula="trace(M)^2 / |M|_F^2: (sum v)^2 / sum v^2 over the eigenvalues v of a symmetric M",
    domain="matrix not all 0",
    stacks=True,
)
def participation_ratio(matrix: Tensor) -> Tensor:
    return _participation_ratio(matrix)


@primitive(*MATRIX, name="participation_share", formula="participation ratio / number of rows", domain="not all 0")
def participation_share_of_matrix(matrix: Tensor) -> Tensor:
    return _participation_ratio(matrix) / len(matrix)


def _share_of_rows(rows: Tensor) -> Tensor:
    smaller = _smaller_side(rows)
    return _participation_ratio(inner_products(smaller, smaller)) / len(smaller)


@primitive(
    Signature((Kind.WEIGHTS,), Kind.LAYER),
    name="participation_share",
    formula="participation ratio of W W^T / smaller side of W, filters x rest",
    domain="not all 0",
)
def participation_share_of_weight(weight: Tensor) -> Tensor:
    return _share_of_rows(weight.flatten(1))


@primitive(
    Signature((Kind.ACTIVATIONS,), Kind.LAYER),
    name="participation_share",
    formula="participation ratio of X X^T / smaller side of X, channels x samples and positions",
    domain="not all 0",
)
def participation_share_of_activations(x: Tensor) -> Tensor:
    return _share_of_rows(x.movedim(1, -1).flatten(0, -2).T)


@primitive(
    *MATRIX,
    formula="exp of the entropy of |eigenvalues| / sum |eigenvalues|",
    domain="matrix not all 0",
    reference="Roy and Vetterli, The effective rank, EUSIPCO 2007",
    stacks=True,
)
def effective_rank(matrix: Tensor) -> Tensor:
    magnitudes = _eigenvalues(matrix).abs()
    total = magnitudes.sum(-1, keepdim=True)
    share = magnitudes / where_defined(total > 0, total)
    return torch.exp(-torch.special.xlogy(share, share).sum(-1))


@primitive(
    *MATRIX,
    formula="entropy of the nine deciles of |eigenvalues|, divided by their sum",
    domain="deciles not all 0",
    reference="Tybl and Neumann, VKDNW, CVPR 2025",
)
def decile_entropy(matrix: Tensor) -> Tensor:
    magnitudes = _eigenvalues(matrix).abs()
    deciles = torch.quantile(magnitudes, torch.arange(1, 10).to(magnitudes) / 10.0)
    total = deciles.sum()
    share = deciles / where_defined(total > 0, total)
    return -torch.special.xlogy(share, share).sum()


@primitive(
    *MATRIX,
    formula="sum of ln(v + k) + 1 / (v + k) over the eigenvalues v, k = 1e-5",
    domain="every v > -k",
    reference="Mellor et al., Neural architecture search without training, version 1, 2020",
)
def gaussian_divergence(matrix: Tensor) -> Tensor:
    """How far a Gaussian with this correlation is from one without, up to a constant; k is the authors'."""
    shifted = _eigenvalues(matrix) + 1e-5
    positive = where_defined(shifted > 0, shifted)
    return (positive.log() + 1.0 / positive).sum()


@primitive(
    *MATRIX,
    formula="number of distinct samples: rows i and j are the same where M_ij = M_ii",
    domain="M a Hamming kernel",
    reference="Chen et al., TE-NAS, ICLR 2021",
)
def distinct_rows(matrix: Tensor) -> Tensor:
    """Number of classes of rows that agree in every unit: each row counts one over the size of its class."""
    same = matrix == matrix.diagonal()[:, None]
    counted = (1.0 / same.sum(dim=1).to(matrix.dtype)).sum().round()
    return where_defined(~matrix.isnan().any(), counted)


def _square_slices(x: Tensor) -> Tensor | None:
    return x if x.dim() == 4 and x.shape[-1] == x.shape[-2] else None


@primitive(*SLICES, formula="ln det of each slice of positions", domain="square, determinant > 0", reference=EZNAS)
def slice_logdet(x: Tensor) -> Tensor:
    square = _square_slices(x)
    if square is None:
        return torch.full_like(x[:, :1], torch.nan)
    sign, magnitude = torch.linalg.slogdet(square)
    return where_defined(sign > 0, magnitude)


@primitive(
    *SLICES, formula="ln |det| of each slice of positions, -inf where it is singular", domain="square", reference=EZNAS
)
def slice_logabsdet(x: Tensor) -> Tensor:
    """Keep the limit of singular slices, which are common among signs and whose sigmoid is 0."""
    square = _square_slices(x)
    if square is None:
        return torch.full_like(x[:, :1], torch.nan)
    return torch.linalg.slogdet(square).logabsdet


@primitive(*SLICES, formula="determinant of each square slice of positions", domain="square", reference=EZNAS)
def slice_det(x: Tensor) -> Tensor:
    square = _square_slices(x)
    return torch.full_like(x[:, :1], torch.nan) if square is None else torch.linalg.det(square)
