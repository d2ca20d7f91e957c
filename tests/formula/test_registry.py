from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from zcproxy.errors import FormulaError
from zcproxy.formula import Kind, Layers, Registry, Signature, primitive, signatures, vocabulary
from zcproxy.formula.grammar import NAMES, SIGNS
from zcproxy.primitives import parse

WEIGHTS_TO_WEIGHTS = Signature((Kind.WEIGHTS,), Kind.WEIGHTS)
WEIGHTS_TO_LAYER = Signature((Kind.WEIGHTS,), Kind.LAYER)
LAYER_TO_LAYER = Signature((Kind.LAYER,), Kind.LAYER)
LAYER_TO_NETWORK = Signature((Kind.LAYER,), Kind.NETWORK)


def add(
    function: Callable[..., Any], *accepted: Signature, registry: Registry | None = None, **options: Any
) -> Registry:
    registry = registry or Registry()
    primitive(*accepted, formula="a test", registry=registry, **options)(function)
    return registry


def refusal(function: Callable[..., Any], *accepted: Signature) -> str:
    registry = Registry()
    with pytest.raises(ValueError, match=r"^primitive ") as raised:
        add(function, *accepted, registry=registry)
    assert not registry.primitives
    message = str(raised.value)
    assert "\n" not in message and function.__name__ in message and str(accepted[0]) in message
    return message


# Each law has its own sentence


def test_a_function_that_writes_into_a_tensor_is_refused() -> None:
    def overwrites(x: Tensor) -> Tensor:
        return x.mul_(2.0)

    assert refusal(overwrites, WEIGHTS_TO_WEIGHTS).endswith("writes into its argument")


def test_a_function_that_writes_into_negative_values_alone_is_refused() -> None:
    def clamps(x: Tensor) -> Tensor:
        return x.clamp_(min=-1.0)

    assert refusal(clamps, WEIGHTS_TO_WEIGHTS).endswith("writes into its argument")


def test_a_function_that_writes_into_a_column_is_refused() -> None:
    def overwrites(x: Any) -> Any:
        x += 1.0
        return x.copy()

    assert refusal(overwrites, LAYER_TO_LAYER).endswith("writes into its argument")


def test_a_function_that_writes_into_its_second_argument_is_refused() -> None:
    def overwrites(x: Tensor, y: Tensor) -> Tensor:
        return x + y.abs_()

    signature = Signature((Kind.WEIGHTS, Kind.WEIGHTS), Kind.WEIGHTS)
    assert refusal(overwrites, signature).endswith("writes into its argument")


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.int64, torch.bool])
def test_a_function_that_changes_the_dtype_is_refused(dtype: torch.dtype) -> None:
    def converts(x: Tensor) -> Tensor:
        return x.sum().to(dtype)

    assert refusal(converts, WEIGHTS_TO_LAYER).endswith(f"changes dtype torch.float32 to {dtype}")


def test_a_random_function_is_refused() -> None:
    def rolls(x: Tensor) -> Tensor:
        return x + torch.rand_like(x)

    assert refusal(rolls, WEIGHTS_TO_WEIGHTS).endswith("is not deterministic")


def test_a_function_with_a_memory_is_refused() -> None:
    calls = count()

    def remembers(x: Any) -> Any:
        return x + next(calls)

    assert refusal(remembers, LAYER_TO_LAYER).endswith("is not deterministic")


def test_a_function_of_the_wrong_number_of_dimensions_is_refused() -> None:
    def keeps(x: Tensor) -> Tensor:
        return x.flatten(1).sum(1)

    assert refusal(keeps, WEIGHTS_TO_LAYER).endswith("yields 1 dimensions, expected 0")
    assert refusal(keeps, Signature((Kind.NETWORK_MATRIX,), Kind.NETWORK)).endswith("yields 1 dimensions, expected 0")

    def reduces(x: Tensor) -> Tensor:
        return x.sum()

    assert refusal(reduces, Signature((Kind.WEIGHTS,), Kind.SPECTRUM)).endswith("yields 0 dimensions, expected 1")


def test_a_function_that_loses_layers_is_refused() -> None:
    def shortens(x: Any) -> Any:
        return x[1:]

    assert "yields shape (5,), expected (6,)" in refusal(shortens, LAYER_TO_LAYER)


def test_an_aggregation_that_yields_one_number_for_all_networks_is_refused() -> None:
    def totals(x: Any, layers: Layers[Any]) -> Any:
        return x.sum()

    assert "yields shape (), expected (4,)" in refusal(totals, LAYER_TO_NETWORK)


def test_one_bad_signature_refuses_all() -> None:
    def half(x: Any) -> Any:
        return x[:1] if isinstance(x, np.ndarray) else x

    message = refusal(half, LAYER_TO_LAYER, WEIGHTS_TO_WEIGHTS)
    assert "expected (6,)" in message


# What is allowed


def test_a_pure_function_is_added_and_comes_back_unchanged() -> None:
    def double(x: Any) -> Any:
        return 2.0 * x

    registry = Registry()
    returned = primitive(LAYER_TO_LAYER, WEIGHTS_TO_WEIGHTS, formula="2 x", domain="all", registry=registry)(double)
    assert returned is double
    known = registry.primitives["double"]
    assert set(known.functions) == {LAYER_TO_LAYER, WEIGHTS_TO_WEIGHTS}
    assert (known.formula, known.domain, known.reference) == ("2 x", "all", "")
    assert not known.commutative
    registry.add_leaf("weight", Kind.WEIGHTS, "weight")
    formula = parse("double(double(weight))", registry)
    assert formula.kind is Kind.WEIGHTS and registry.function(formula) is double


def test_nan_and_infinity_are_allowed_results() -> None:
    def undefined(x: Tensor) -> Tensor:
        return torch.log(x.sum()) / 0.0

    assert "undefined" in add(undefined, WEIGHTS_TO_LAYER).primitives


def test_registering_leaves_torchs_random_state_alone() -> None:
    before = torch.get_rng_state()
    add(lambda x: x, WEIGHTS_TO_WEIGHTS, name="same")
    assert torch.equal(before, torch.get_rng_state())


# Names and signatures


def test_a_repeated_signature_is_refused_and_a_further_one_is_added() -> None:
    def same(x: Any) -> Any:
        return x

    registry = add(same, WEIGHTS_TO_WEIGHTS)
    with pytest.raises(ValueError, match=r"primitive same already has the signature \(Weights\) -> Weights"):
        add(same, WEIGHTS_TO_WEIGHTS, registry=registry)
    with pytest.raises(ValueError, match="already has the signature"):
        add(lambda x: x.sum(), WEIGHTS_TO_LAYER, name="same", registry=registry)
    assert set(registry.primitives["same"].functions) == {WEIGHTS_TO_WEIGHTS}
    add(same, LAYER_TO_LAYER, registry=registry)
    assert set(registry.primitives["same"].functions) == {WEIGHTS_TO_WEIGHTS, LAYER_TO_LAYER}


def test_a_repeated_leaf_is_refused() -> None:
    registry = Registry()
    registry.add_leaf("weight", Kind.WEIGHTS, "weight")
    with pytest.raises(ValueError, match="leaf weight is registered twice"):
        registry.add_leaf("weight", Kind.ACTIVATIONS, "another")
    assert registry.leaves == {"weight": Kind.WEIGHTS}


def test_signatures_are_the_product_of_kinds() -> None:
    pairs = signatures([(Kind.WEIGHTS, Kind.ACTIVATIONS), Kind.LAYER])
    assert [str(pair) for pair in pairs] == ["(Weights, Layer) -> Weights", "(Activations, Layer) -> Activations"]
    assert [str(pair) for pair in signatures([(Kind.SPECTRUM,)], Kind.LAYER)] == ["(Spectrum) -> Layer"]


def test_unknown_primitives_are_a_formula_error() -> None:
    with pytest.raises(FormulaError, match=r"unknown primitive 'frobenius_nrom' \(did you mean frobenius_norm"):
        vocabulary().get("frobenius_nrom")


# The project's own vocabulary


def test_every_primitive_and_leaf_is_explained() -> None:
    for item in vocabulary().primitives.values():
        assert item.formula and item.domain and item.name.isidentifier()
        assert all(len(each.arguments) in (1, 2) or each.result is Kind.RANKING for each in item.functions)
    assert set(vocabulary().leaf_meanings) == set(vocabulary().leaves)
    assert all(vocabulary().leaf_meanings.values())


def test_signs_belong_to_primitives_of_two_arguments() -> None:
    assert {name: sign for sign, name in NAMES.items()} == SIGNS
    for name in SIGNS:
        assert all(len(signature.arguments) == 2 for signature in vocabulary().get(name).functions)


def test_commutative_primitives_take_two_arguments_of_either_order() -> None:
    for item in vocabulary().primitives.values():
        if item.commutative:
            for signature in item.functions:
                assert item.signature(signature.arguments[::-1]) is not None
