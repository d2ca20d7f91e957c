from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special
import torch

from zcproxy.formula import Kind, vocabulary

Registered = Callable[[str], dict[str, list[Any]]]


def where(condition: Any, value: Any) -> Any:
    return np.where(condition, value, np.nan)


def log(x: Any) -> Any:
    return where(x > 0, np.log(np.abs(x) + (x <= 0)))


REFERENCES: dict[str, Callable[..., Any]] = {
    "abs": np.fabs,
    "square": lambda x: np.power(x, 2),
    "sqrt": lambda x: where(x >= 0, np.abs(x) ** 0.5),
    "log": log,
    "log1p": lambda x: log(1.0 + x),
    "exp": lambda x: np.power(np.e, x),
    "sign": lambda x: (x > 0).astype(float) - (x < 0),
    "reciprocal": lambda x: where(x != 0, np.divide(1.0, np.where(x == 0, 1.0, x))),
    "relu": lambda x: np.maximum(x, 0.0),
    "sigmoid": scipy.special.expit,
    "tanh": lambda x: 2.0 * scipy.special.expit(2.0 * x) - 1.0,
    "positive": lambda x: np.where(x > 0, 1.0, 0.0),
    "negative": lambda x: np.where(x < 0, 1.0, 0.0),
    "heaviside": lambda x: np.heaviside(x, 1.0),
    "ones_like": lambda x: np.ones(x.shape),
    "zeros_like": lambda x: np.zeros(x.shape),
    "normalize": lambda x: (x - np.mean(x)) / np.std(x),
    "rescale": lambda x: np.interp(x, (x.min(), x.max()), (0.0, 1.0)),
    "softmax": lambda x: scipy.special.softmax(x, axis=tuple(range(1, x.ndim))),
}


def test_every_primitive_has_a_reference(registered: Registered) -> None:
    assert set(registered("elementwise")) == set(REFERENCES)


@pytest.mark.parametrize("name", REFERENCES)
def test_against_numpy(name: str, registered: Registered, agrees: Callable[..., None]) -> None:
    for signature in registered("elementwise")[name]:
        assert signature.arguments == (signature.result,)
        agrees(name, signature, REFERENCES[name])


@pytest.mark.parametrize("name", REFERENCES)
def test_nan_stays_nan_and_touches_no_other_element(name: str) -> None:
    for signature, function in vocabulary().primitives[name].functions.items():
        if name in ("ones_like", "zeros_like") or not function.__module__.startswith("zcproxy.primitives."):
            continue
        if signature.arguments == (Kind.WEIGHTS,):
            values = torch.tensor([[0.5, 1.5], [torch.nan, 2.0]])
            found = function(values)
            assert torch.isnan(found[1, 0])
            if name == "softmax":
                assert torch.isfinite(found[0]).all()
            elif name not in ("normalize", "rescale"):
                assert torch.isfinite(found[0]).all() and torch.isfinite(found[1, 1])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("log", 0.0),
        ("log", -1.0),
        ("log1p", -1.0),
        ("log1p", -2.0),
        ("sqrt", -1.0),
        ("reciprocal", 0.0),
        ("normalize", 3.0),
        ("normalize", 0.0),
    ],
)
def test_out_of_the_domain_is_nan(name: str, value: float) -> None:
    for signature, function in vocabulary().primitives[name].functions.items():
        if signature.arguments in ((Kind.WEIGHTS,), (Kind.ACTIVATIONS,)):
            assert torch.isnan(function(torch.full((2, 3), value))).all()


@pytest.mark.parametrize("value", [-200.0, -30.0, 30.0, 200.0])
def test_no_overflow_where_the_result_is_moderate(value: float) -> None:
    functions = vocabulary().primitives
    signature = next(item for item in functions["softmax"].functions if item.arguments == (Kind.WEIGHTS,))
    values = torch.full((2, 2), value)
    for name, expected in (("sigmoid", float(value > 0)), ("tanh", np.sign(value)), ("softmax", 0.5)):
        np.testing.assert_allclose(functions[name].functions[signature](values).numpy(), expected, atol=1e-6)
