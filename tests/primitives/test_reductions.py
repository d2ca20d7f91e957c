from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special
import scipy.stats
import torch

from zcproxy.formula import Kind, vocabulary

Registered = Callable[[str], dict[str, list[Any]]]


def cosine(x: Any, y: Any) -> Any:
    return x.ravel() @ y.ravel() / np.sqrt((x.ravel() @ x.ravel()) * (y.ravel() @ y.ravel()))


def share(condition: Any) -> Any:
    return sum(bool(item) for item in condition.ravel()) / condition.size


REFERENCES: dict[str, Callable[..., Any]] = {
    "sum": np.sum,
    "nansum": np.sum,
    "mean": lambda x: np.sum(x) / x.size,
    "nanmean": np.mean,
    "min": lambda x: np.sort(x, axis=None)[0],
    "max": lambda x: np.sort(x, axis=None)[-1],
    "std": np.std,
    "mean_abs": lambda x: np.mean(np.abs(x)),
    "l1_norm": lambda x: np.sum(np.abs(x)),
    "frobenius_norm": lambda x: np.sqrt(np.sum(x**2)),
    "numel": np.size,
    "skewness": lambda x: scipy.stats.skew(x, axis=None),
    "kurtosis": lambda x: scipy.stats.kurtosis(x, axis=None, fisher=False),
    "positive_fraction": lambda x: share(x > 0),
    "zero_fraction": lambda x: share(x == 0),
    "entropy": lambda x: scipy.stats.entropy(np.abs(x), axis=None),
    "dot": lambda x, y: np.tensordot(x, y, axes=x.ndim),
    "abs_dot": lambda x, y: np.tensordot(np.abs(x), np.abs(y), axes=x.ndim),
    "cosine_similarity": cosine,
    "hamming_distance": lambda x, y: share((x > 0) != (y > 0)),
    "kl_divergence": lambda x, y: scipy.stats.entropy(
        scipy.special.softmax(x.ravel()), scipy.special.softmax(y.ravel())
    ),
}


def test_every_primitive_has_a_reference(registered: Registered) -> None:
    assert set(registered("reductions")) == {*REFERENCES, "position_sum"}


@pytest.mark.parametrize("name", REFERENCES)
def test_against_numpy_and_scipy(name: str, registered: Registered, agrees: Callable[..., None]) -> None:
    for signature in registered("reductions")[name]:
        assert signature.result in (Kind.LAYER, Kind.NETWORK)
        agrees(name, signature, REFERENCES[name])


def call(name: str, *arguments: torch.Tensor) -> torch.Tensor:
    primitive = vocabulary().primitives[name]
    signature = primitive.signature((Kind.WEIGHTS,) * len(arguments))
    assert signature is not None
    found = primitive.functions[signature](*arguments)
    assert isinstance(found, torch.Tensor) and found.dim() == 0
    return found


@pytest.mark.parametrize("name", ["skewness", "kurtosis"])
@pytest.mark.parametrize("value", [0.0, -2.0])
def test_moments_of_constant_tensors_are_undefined(name: str, value: float) -> None:
    assert torch.isnan(call(name, torch.full((2, 3), value)))


@pytest.mark.parametrize("name", ["entropy", "cosine_similarity"])
def test_zero_tensors_are_out_of_the_domain(name: str) -> None:
    zeros, ones = torch.zeros(2, 3), torch.ones(2, 3)
    for arguments in ([zeros],) if name == "entropy" else ((zeros, ones), (ones, zeros), (zeros, zeros)):
        assert torch.isnan(call(name, *arguments))


UNDEFINED_BY_NAN = sorted(
    set(REFERENCES) - {"nansum", "nanmean", "numel", "positive_fraction", "zero_fraction", "hamming_distance"}
)


@pytest.mark.parametrize("name", UNDEFINED_BY_NAN)
def test_nan_is_never_swallowed(name: str) -> None:
    values = torch.tensor([[1.0, torch.nan], [0.5, -2.0]])
    ones = torch.ones(2, 2)
    pairs = name in ("dot", "abs_dot", "cosine_similarity", "kl_divergence")
    for arguments in ((values, ones), (ones, values)) if pairs else ((values,),):
        assert torch.isnan(call(name, *arguments))


def test_undefined_elements_are_left_out_of_a_sum_where_others_are_defined() -> None:
    values = torch.tensor([[1.0, torch.nan], [0.5, -2.0]])
    assert call("nansum", values).item() == -0.5
    assert torch.isnan(call("nansum", torch.full((2, 2), torch.nan)))
    assert torch.isinf(call("nansum", torch.tensor([[torch.inf, torch.nan]])))


def test_sums_over_positions(registered: Registered, agrees: Callable[..., None]) -> None:
    (signature,) = registered("reductions")["position_sum"]
    agrees("position_sum", signature, lambda x: np.array([[np.sum(channel) for channel in sample] for sample in x]))


def test_norms_of_large_float32_tensors_do_not_overflow_early() -> None:
    large = torch.full((4, 4), 1e18)
    assert call("frobenius_norm", large).item() == pytest.approx(4e18, rel=1e-5)
    assert call("std", torch.tensor([[1e18, -1e18]])).item() == pytest.approx(1e18, rel=1e-5)


def test_a_shift_does_not_change_a_deviation() -> None:
    values = torch.linspace(-1, 1, 101)[None]
    assert call("std", values + 1000).item() == pytest.approx(call("std", values).item(), rel=1e-3)


def test_the_mean_of_what_is_defined() -> None:
    assert call("nanmean", torch.tensor([[1.0, torch.nan], [4.0, 1.0]])).item() == 2.0
    assert torch.isnan(call("nanmean", torch.full((2, 2), torch.nan)))
