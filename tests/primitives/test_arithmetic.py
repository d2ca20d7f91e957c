from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from zcproxy.formula import vocabulary

Registered = Callable[[str], dict[str, list[Any]]]


def where(condition: Any, value: Any) -> Any:
    return np.where(condition, value, np.nan)


ARITHMETIC: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": lambda x, y: where(y != 0, x / np.where(y == 0, 1.0, y)),
    "minimum": lambda x, y: np.where(x < y, x, y),
    "maximum": lambda x, y: np.where(x < y, y, x),
    "power": lambda x, y: where(x > 0, np.exp(y * np.log(np.where(x > 0, x, 1.0)))),
}
COMPARISONS: dict[str, Callable[..., Any]] = {
    "greater": lambda x, y: np.where(x > y, 1.0, 0.0),
    "less": lambda x, y: np.where(x < y, 1.0, 0.0),
}
EVERYTHING = {**ARITHMETIC, **COMPARISONS}


def test_every_primitive_has_a_reference(registered: Registered) -> None:
    assert set(registered("arithmetic")) == set(ARITHMETIC)
    assert set(registered("comparisons")) == set(COMPARISONS)


@pytest.mark.parametrize("name", EVERYTHING)
def test_against_numpy(name: str, registered: Registered, agrees: Callable[..., None]) -> None:
    family = registered("arithmetic" if name in ARITHMETIC else "comparisons")
    for signature in family[name]:
        assert signature.arguments == (signature.result,) * 2
        agrees(name, signature, EVERYTHING[name])


def function(name: str) -> Callable[..., Any]:
    return next(iter(vocabulary().primitives[name].functions.values()))


@pytest.mark.parametrize("name", EVERYTHING)
@pytest.mark.parametrize("other", [-2.0, 0.0, 1.0, 2.0])
def test_nan_is_never_swallowed(name: str, other: float) -> None:
    undefined, number = torch.tensor(torch.nan), torch.tensor(other)
    for arguments in ((undefined, number), (number, undefined), (undefined, undefined)):
        assert torch.isnan(function(name)(*arguments))
        with np.errstate(invalid="ignore"):
            assert np.isnan(function(name)(*[np.asarray(item.numpy()) for item in arguments]))


@pytest.mark.parametrize(
    ("name", "x", "y"), [("divide", 1.0, 0.0), ("divide", 0.0, 0.0), ("power", -2.0, 2.0), ("power", 0.0, 0.0)]
)
def test_out_of_the_domain_is_nan(name: str, x: float, y: float) -> None:
    assert torch.isnan(function(name)(torch.tensor(x), torch.tensor(y)))


def test_ties_are_neither_greater_nor_less() -> None:
    same = torch.tensor([0.0, -1.0, 2.0])
    assert not function("greater")(same, same.clone()).any()
    assert not function("less")(same, same.clone()).any()
