from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import scipy.stats
import torch

from zcproxy.formula import Kind, vocabulary

Registered = Callable[[str], dict[str, list[Any]]]


def eigenvalues(matrix: Any) -> Any:
    """By the general solver: independent of the symmetric one."""
    return np.sort(scipy.linalg.eigvals(matrix).real)[::-1]


def slices(function: Callable[[Any], Any], x: Any) -> Any:
    if x.ndim != 4 or x.shape[-1] != x.shape[-2]:
        return np.zeros_like(x[:, :1])  # checked on its own below
    return np.array([[function(matrix) for matrix in row] for row in x])


def positive_logdet(matrix: Any) -> Any:
    sign, magnitude = np.linalg.slogdet(matrix)
    return magnitude if sign > 0 else np.nan


def filter_rows(x: Any) -> Any:
    return x.reshape(len(x), -1)


def channel_rows(x: Any) -> Any:
    return np.array([x[:, channel].ravel() for channel in range(x.shape[1])])


def participation_share(x: Any) -> Any:
    """From singular values, whose squares are the eigenvalues: (sum s^2)^2 / sum s^4 / how many there are."""
    squares = scipy.linalg.svdvals(x) ** 2
    return squares.sum() ** 2 / (squares**2).sum() / len(squares)


def ridge_logdet(matrix: Any) -> Any:
    scaled = matrix / np.mean(np.diag(matrix))
    return np.sum(np.log(eigenvalues(scaled) + 0.01))


REFERENCES: dict[str, Callable[..., Any]] = {
    "eigenvalues": eigenvalues,
    "logdet": lambda m: np.sum(np.log(eigenvalues(m))),
    "ridge_logdet": ridge_logdet,
    "det": lambda m: np.prod(eigenvalues(m)),
    "trace": np.trace,
    "largest_eigenvalue": lambda m: eigenvalues(m)[0],
    "smallest_eigenvalue": lambda m: eigenvalues(m)[-1],
    "condition_number": np.linalg.cond,
    "dominance": lambda m: eigenvalues(m)[0] / np.sum(eigenvalues(m)),
    "stable_rank": lambda m: np.linalg.norm(scipy.linalg.sqrtm(m)) ** 2 / np.linalg.norm(scipy.linalg.sqrtm(m), 2) ** 2,
    "participation_ratio": lambda m: np.sum(eigenvalues(m)) ** 2 / np.sum(eigenvalues(m) ** 2),
    "gaussian_divergence": lambda m: np.sum(np.log(eigenvalues(m) + 1e-5) + 1 / (eigenvalues(m) + 1e-5)),
    "decile_entropy": lambda m: scipy.stats.entropy(np.quantile(np.abs(eigenvalues(m)), np.arange(1, 10) / 10)),
    "effective_rank": lambda m: np.exp(scipy.stats.entropy(eigenvalues(m))),
}
OF_TENSORS: dict[str, Callable[[Any], Any]] = {
    "singular_values": scipy.linalg.svdvals,
    "participation_share": participation_share,
}
SLICES: dict[str, Callable[..., Any]] = {
    "slice_logdet": positive_logdet,
    "slice_logabsdet": lambda matrix: np.log(np.abs(scipy.linalg.det(matrix))),
    "slice_det": scipy.linalg.det,
}


def test_every_primitive_has_a_reference(registered: Registered) -> None:
    assert set(registered("spectra")) == {*REFERENCES, *OF_TENSORS, *SLICES, "distinct_rows", "curvature"}


@pytest.mark.parametrize("name", REFERENCES)
def test_against_scipy(name: str, registered: Registered, agrees: Callable[..., None]) -> None:
    for signature in registered("spectra")[name]:
        agrees(name, signature, REFERENCES[name])


@pytest.mark.parametrize("name", OF_TENSORS)
def test_sides_of_tensors_against_scipy(name: str, registered: Registered, agrees: Callable[..., None]) -> None:
    """Weights are filters x rest, activations channels x samples and positions; square matrices are what they are."""
    rows: dict[Kind, Callable[[Any], Any]] = {Kind.WEIGHTS: filter_rows, Kind.ACTIVATIONS: channel_rows}
    for signature in registered("spectra")[name]:
        (kind,) = signature.arguments
        if kind in rows:
            agrees(name, signature, lambda x, of=rows[kind]: OF_TENSORS[name](of(x)))
        else:
            agrees(name, signature, lambda m: REFERENCES["participation_ratio"](m) / len(m))


def function(name: str, kind: Kind) -> Callable[[torch.Tensor], torch.Tensor]:
    primitive = vocabulary().primitives[name]
    signature = primitive.signature((kind,))
    assert signature is not None
    return primitive.functions[signature]


@pytest.mark.parametrize("kind", [Kind.WEIGHTS, Kind.ACTIVATIONS])
@pytest.mark.parametrize("name", SLICES)
def test_slices(name: str, kind: Kind) -> None:
    values = torch.randn((4, 3, 5, 5), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for layout in (values, values.contiguous(memory_format=torch.channels_last)):
        found = function(name, kind)(layout).numpy()
        np.testing.assert_allclose(found, slices(SLICES[name], values.numpy()), rtol=1e-9)
    assert np.isnan(found).any() == (name == "slice_logdet")


@pytest.mark.parametrize("name", SLICES)
@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 2), (4, 3, 2, 3), (4, 3, 3, 1)])
def test_slices_that_are_not_square_are_undefined(name: str, shape: tuple[int, ...]) -> None:
    for kind in (Kind.WEIGHTS, Kind.ACTIVATIONS):
        found = function(name, kind)(torch.ones(shape))
        assert torch.isnan(found).all() and found.dim() == len(shape)


MATRICES = sorted(set(REFERENCES) - {"singular_values"})


DEFINED_ON_ZEROS = ("det", "trace", "eigenvalues", "gaussian_divergence")


@pytest.mark.parametrize("name", [name for name in MATRICES if name not in DEFINED_ON_ZEROS])
def test_a_zero_matrix(name: str) -> None:
    found = function(name, Kind.SAMPLE_MATRIX)(torch.zeros(3, 3))
    assert found.item() == 0.0 if name.endswith("_eigenvalue") else torch.isnan(found)


@pytest.mark.parametrize(
    ("name", "matrix"),
    [
        ("logdet", [[0.0, 1.0], [1.0, 0.0]]),
        ("logdet", [[1.0, 1.0], [1.0, 1.0]]),
        ("ridge_logdet", [[-1.0, 0.0], [0.0, -1.0]]),
        ("ridge_logdet", [[0.01, 1.0], [1.0, 0.01]]),
        ("gaussian_divergence", [[1.0, 0.0], [0.0, -1e-5]]),
        ("condition_number", [[1.0, 0.0], [0.0, -1.0]]),
        ("condition_number", [[1.0, 0.0], [0.0, 0.0]]),
        ("dominance", [[1.0, 0.0], [0.0, -1.0]]),
        ("stable_rank", [[0.0, 0.0], [0.0, -1.0]]),
    ],
)
def test_out_of_the_domain_is_nan(name: str, matrix: list[list[float]]) -> None:
    assert torch.isnan(function(name, Kind.CHANNEL_MATRIX)(torch.tensor(matrix)))


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_matrices_that_are_not_finite_give_no_finite_number(name: str, bad: float) -> None:
    matrix = torch.eye(3)
    matrix[0, 0] = bad
    assert not torch.isfinite(function(name, Kind.SAMPLE_MATRIX)(matrix)).any()


def test_eigenvalues_are_those_of_the_symmetric_part_in_descending_order() -> None:
    skewed = torch.tensor([[1.0, 5.0], [-3.0, 2.0]])
    found = function("eigenvalues", Kind.SAMPLE_MATRIX)(skewed).numpy()
    np.testing.assert_allclose(found, np.linalg.eigvalsh([[1.0, 1.0], [1.0, 2.0]])[::-1], rtol=1e-6)


def test_indefinite_matrices_have_an_effective_rank_of_magnitudes() -> None:
    matrix = torch.diag(torch.tensor([2.0, -2.0, 2.0]))
    assert function("effective_rank", Kind.SAMPLE_MATRIX)(matrix).item() == pytest.approx(3.0, rel=1e-6)
    assert function("participation_ratio", Kind.SAMPLE_MATRIX)(matrix).item() == pytest.approx(1 / 3, rel=1e-6)


def test_the_stable_rank_is_that_of_the_literature() -> None:
    """Squared Frobenius norm over squared spectral norm of the rows: one over the dominance of their Gram matrix."""
    rows = np.random.default_rng(3).normal(size=(5, 9))
    gram = torch.tensor(rows @ rows.T)
    found = function("stable_rank", Kind.CHANNEL_MATRIX)(gram).item()
    assert found == pytest.approx(np.linalg.norm(rows) ** 2 / np.linalg.norm(rows, 2) ** 2, rel=1e-12)
    assert found * function("dominance", Kind.CHANNEL_MATRIX)(gram).item() == pytest.approx(1.0, rel=1e-12)
    assert found != pytest.approx(function("participation_ratio", Kind.CHANNEL_MATRIX)(gram).item(), rel=1e-2)


def test_shares_reach_one_where_all_directions_count_alike() -> None:
    even = torch.tensor(scipy.linalg.hadamard(4), dtype=torch.float64)
    assert function("participation_share", Kind.WEIGHTS)(even).item() == pytest.approx(1.0)
    assert function("participation_share", Kind.WEIGHTS)(even[:2]).item() == pytest.approx(1.0)  # its smaller side is 2
    assert function("participation_share", Kind.SAMPLE_MATRIX)(torch.ones(4, 4)).item() == pytest.approx(0.25)


def test_log_determinants_of_large_kernels_do_not_overflow() -> None:
    matrix = 1e6 * torch.eye(100)
    assert function("logdet", Kind.NETWORK_MATRIX)(matrix).item() == pytest.approx(100 * np.log(1e6), rel=1e-6)


@pytest.mark.parametrize("kind", [Kind.SAMPLE_MATRIX, Kind.NETWORK_MATRIX])
def test_distinct_rows_are_those_that_differ_in_a_unit(kind: Kind) -> None:
    draw = np.random.default_rng(0)
    hamming = vocabulary().primitives["sample_hamming"]
    kernel = hamming.functions[next(iter(hamming.functions))]
    for units in range(1, 6):
        codes = draw.integers(0, 2, (9, units)) - 0.5
        found = function("distinct_rows", kind)(kernel(torch.tensor(codes)))
        assert found.item() == len({tuple(row) for row in codes})
    assert torch.isnan(function("distinct_rows", kind)(torch.tensor([[1.0, torch.nan], [torch.nan, 1.0]])))


def test_the_logarithm_of_a_singular_slice_is_the_limit_and_its_sigmoid_zero() -> None:
    values = torch.stack([torch.ones(2, 2), torch.eye(2), -torch.eye(2)[[1, 0]]])[None]
    found = function("slice_logabsdet", Kind.WEIGHTS)(values)
    assert found.tolist() == [[-torch.inf, 0.0, 0.0]]
    assert function("sigmoid", Kind.WEIGHTS)(found).tolist() == [[0.0, 0.5, 0.5]]


@pytest.mark.parametrize("speed", [0.1, 1.0, 30.0])
def test_a_circle_is_as_curved_as_its_radius_says_at_any_speed(speed: float) -> None:
    """Velocity and acceleration of a circle of radius 4 in a plane of five dimensions, with a pull along the way."""
    plane = np.linalg.qr(np.random.default_rng(6).normal(size=(5, 2)))[0].T
    velocity = speed * plane[0]
    acceleration = speed**2 / 4.0 * plane[1] + 3.0 * velocity
    pairs = np.stack([velocity, acceleration])
    found = function("curvature", Kind.NETWORK_MATRIX)(torch.tensor(pairs @ pairs.T))
    assert found.item() == pytest.approx(1 / 4, rel=1e-9)


def test_what_stands_still_or_is_no_motion_has_no_curvature() -> None:
    curvature = function("curvature", Kind.NETWORK_MATRIX)
    assert torch.isnan(curvature(torch.tensor([[0.0, 0.0], [0.0, 1.0]])))
    assert torch.isnan(curvature(torch.eye(3)))


STACKING = [
    *("logdet", "ridge_logdet", "trace", "largest_eigenvalue", "smallest_eigenvalue", "condition_number"),
    *("dominance", "stable_rank", "participation_ratio", "effective_rank"),
]


def test_those_that_take_several_matrices_are_tested() -> None:
    assert {name for name, item in vocabulary().primitives.items() if item.stacks} == set(STACKING)


@pytest.mark.parametrize("name", STACKING)
@pytest.mark.parametrize("bad", [0.0, torch.nan, torch.inf])
def test_several_matrices_have_the_numbers_that_each_has_by_itself(name: str, bad: float) -> None:
    rows = torch.randn(4, 5, 9, generator=torch.Generator().manual_seed(0))
    matrices = rows @ rows.mT
    matrices[2] = bad
    (one,) = set(vocabulary().primitives[name].functions.values())
    expected = torch.stack([one(matrix) for matrix in matrices])
    torch.testing.assert_close(one(matrices), expected, rtol=1e-6, atol=0.0, equal_nan=True)
    assert expected[[0, 1, 3]].isfinite().all()
