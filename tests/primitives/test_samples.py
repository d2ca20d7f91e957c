from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

from zcproxy.formula import Kind, vocabulary

Registered = Callable[[str], dict[str, list[Any]]]
Relation = Callable[[Any, Any], float]


def samples(x: Any) -> list[Any]:
    return [sample.ravel() for sample in x]


def channels(x: Any) -> list[Any]:
    return [x[:, channel].ravel() for channel in range(x.shape[1])]


def between(rows: list[Any], relation: Relation) -> Any:
    """Row by row in Python loops."""
    return np.reshape([relation(x, y) for x, y in product(rows, rows)], (len(rows), len(rows)))


def dot(x: Any, y: Any) -> float:
    return float(sum(a * b for a, b in zip(x, y, strict=True)))


def agreement(x: Any, y: Any) -> float:
    return float(sum((a > 0) == (b > 0) for a, b in zip(x, y, strict=True)))


def covariance(x: Any, y: Any) -> float:
    return float(np.mean(x * y) - np.mean(x) * np.mean(y))


def correlation(x: Any, y: Any) -> float:
    if len(x) == 1 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return np.nan
    return float(np.corrcoef(x, y)[0, 1])


REFERENCES: dict[str, Callable[..., Any]] = {
    "sample_gram": lambda x: between(samples(x), dot),
    "sample_correlation": lambda x: between(samples(x), correlation),
    "sample_hamming": lambda x: between(samples(x), agreement),
    "channel_gram": lambda x: between(channels(x), dot),
    "channel_covariance": lambda x: between(channels(x), covariance),
    "channel_correlation": lambda x: between(channels(x), correlation),
    "channel_hamming": lambda x: between(channels(x), agreement),
    "filter_gram": lambda x: between(samples(x), dot),
    "filter_correlation": lambda x: between(samples(x), correlation),
    "input_gram": lambda x: between(channels(x), dot),
    "input_correlation": lambda x: between(channels(x), correlation),
    "centre": lambda m: (np.eye(len(m)) - 1 / len(m)) @ m @ (np.eye(len(m)) - 1 / len(m)),
    "matmul": lambda x, y: np.array([[dot(a.ravel(), b.ravel()) for b in y] for a in x]),
}


def test_every_primitive_has_a_reference(registered: Registered) -> None:
    assert set(registered("samples")) == set(REFERENCES)


@pytest.mark.parametrize("name", REFERENCES)
def test_against_loops(name: str, registered: Registered, agrees: Callable[..., None]) -> None:
    for signature in registered("samples")[name]:
        agrees(name, signature, REFERENCES[name])


@pytest.mark.parametrize("offset", [0.0, 3.0, 100.0])
def test_rows_that_are_constant_have_no_correlation(offset: float) -> None:
    primitive = vocabulary().primitives["sample_correlation"]
    function = primitive.functions[next(iter(primitive.functions))]
    values = torch.randn((4, 3, 5, 5), generator=torch.Generator().manual_seed(1))
    values[2] = offset
    found = function(values)
    assert torch.isnan(found[2]).all() and torch.isnan(found[:, 2]).all()
    others = [0, 1, 3]
    expected = np.corrcoef(values[others].flatten(1).double().numpy())
    np.testing.assert_allclose(found[others][:, others].numpy(), expected, atol=1e-4)


def test_a_sample_agrees_with_itself_everywhere_and_with_its_negative_nowhere() -> None:
    primitive = vocabulary().primitives["sample_hamming"]
    function = primitive.functions[next(iter(primitive.functions))]
    row = torch.tensor([[1.0, -2.0, 3.0, -4.0]])
    assert function(torch.cat([row, -row])).tolist() == [[4.0, 0.0], [0.0, 4.0]]


# The families of one or two primitives


def test_sub_batches(registered: Registered, agrees: Callable[..., None]) -> None:
    references: dict[str, Callable[[Any], Any]] = {
        "sum": sum,
        "sample_gram": lambda x: between(samples(x), dot),
        "mean": lambda x: sum(x) / len(x),
        "std": lambda x: np.sqrt(sum((part - sum(x) / len(x)) ** 2 for part in x) / len(x)),
    }
    assert set(registered("subbatches")) == set(references)
    for name, found in registered("subbatches").items():
        for signature in found:
            agrees(name, signature, references[name])


def test_one_sub_batch_has_no_deviation() -> None:
    primitive = vocabulary().primitives["std"]
    signature = primitive.signature((Kind.WEIGHT_SAMPLES,))
    assert signature is not None
    assert not primitive.functions[signature](torch.randn(1, 3, 2)).any()


def test_matrices_are_summed_over_layers(registered: Registered) -> None:
    assert set(registered("aggregations")) == {"layer_sum", "doubling_sum", "layer_gram"}
    (signature,) = registered("aggregations")["layer_sum"]
    stack = torch.randn((5, 3, 3), generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    found = vocabulary().primitives["layer_sum"].functions[signature](stack).numpy()
    expected = np.zeros((3, 3))
    for matrix in stack.numpy():
        expected += matrix
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_the_weight_of_a_layer_doubles_with_each() -> None:
    stack = np.random.default_rng(4).normal(size=(4, 3, 3))
    primitive = vocabulary().primitives["doubling_sum"]
    found = primitive.functions[next(iter(primitive.functions))](torch.tensor(stack)).numpy()
    np.testing.assert_allclose(found, stack[0] / 8 + stack[1] / 4 + stack[2] / 2 + stack[3], rtol=1e-12)


def test_centring_takes_the_mean_off_rows() -> None:
    rows = np.random.default_rng(5).normal(size=(6, 4)) + 3.0
    primitive = vocabulary().primitives["centre"]
    found = primitive.functions[primitive.signature((Kind.SAMPLE_MATRIX,))](torch.tensor(rows @ rows.T)).numpy()
    centred = rows - rows.mean(axis=0)
    np.testing.assert_allclose(found, centred @ centred.T, atol=1e-12)


def test_products_between_layers() -> None:
    layers = np.random.default_rng(2).normal(size=(4, 3, 2))
    primitive = vocabulary().primitives["layer_gram"]
    found = primitive.functions[next(iter(primitive.functions))](torch.tensor(layers)).numpy()
    np.testing.assert_allclose(found, np.einsum("lsc,msc->lm", layers, layers), rtol=1e-12)


def test_correlations_within_classes() -> None:
    values = np.random.default_rng(0).uniform(-1.0, 1.0, (6, 6))
    classes = np.array([0, 1, 0, 2, 1, 1])
    expected = sum(
        abs(sum(np.log(abs(values[i, j]) + 1e-5) for i, j in product(members, members)))
        for members in (np.flatnonzero(classes == label) for label in range(3))
    )
    primitive = vocabulary().primitives["class_log_correlation"]
    function = primitive.functions[next(iter(primitive.functions))]
    same = torch.tensor((classes[:, None] == classes).astype(float))
    assert function(torch.tensor(values), same).item() == pytest.approx(expected, rel=1e-12)


def test_samples_that_all_have_a_class_of_their_own_say_nothing() -> None:
    primitive = vocabulary().primitives["class_log_correlation"]
    function = primitive.functions[next(iter(primitive.functions))]
    assert function(torch.eye(5), torch.eye(5)).isnan()
    pair = torch.eye(5)
    pair[0, 1] = pair[1, 0] = 1.0
    assert function(torch.eye(5), pair).isfinite()


def test_no_family_is_left_out() -> None:
    """A new file of primitives needs a test of its own that compares it with an independent computation."""
    families = {
        function.__module__.rpartition(".")[2]
        for item in vocabulary().primitives.values()
        for function in item.functions.values()
        if function.__module__.startswith("zcproxy.primitives.")
    }
    here = {"samples", "subbatches", "aggregations", "patterns", "classes"}
    arithmetic = {"arithmetic", "comparisons"}
    structural = {"descriptors", "paths", "rankings", "stages"} & families
    alone = {"elementwise", "reductions", "spectra", "similarities", "attention"}
    assert families == here | arithmetic | structural | alone
