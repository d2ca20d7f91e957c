"""What the probes measure, against computations by hand."""

from __future__ import annotations

import copy
from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from zcproxy import Proxy
from zcproxy.errors import ModelError
from zcproxy.formula import Kind, vocabulary
from zcproxy.primitives import parse
from zcproxy.probing.measure import measure
from zcproxy.probing.probes import OF_TEACHER, PROBES

from .by_hand import (
    BY_HAND,
    RECORDING,
    REDUCTIONS,
    STATISTICS,
    Case,
    Network,
    prepared,
    records_by_hand,
)


@pytest.mark.parametrize("probe", RECORDING)
@pytest.mark.parametrize("name", BY_HAND)
def test_statistics_equal_those_computed_by_hand(network: Network, name: str, probe: str) -> None:
    model, inputs, targets = prepared(network, name)
    records = records_by_hand(name, model, inputs, targets, probe.removesuffix("64").removesuffix("32"))
    columns = {
        (leaf, reduction): parse(f"{reduction}({leaf}@{probe})") for leaf, reduction in product(STATISTICS, REDUCTIONS)
    }
    measured = measure(model, inputs, targets, columns.values())
    assert measured.layers == len(records)
    for (leaf, reduction), column in columns.items():
        expected = [REDUCTIONS[reduction](record[leaf]).item() for record in records]
        scale = max(record[leaf].abs().sum().item() for record in records)
        np.testing.assert_allclose(
            measured.values[column],
            expected,
            rtol=1e-8,
            atol=1e-12 + 1e-9 * scale,
            err_msg=f"{reduction}({leaf}@{probe})",
        )


@pytest.mark.parametrize("probe", ["samples", "jacobian"])
@pytest.mark.parametrize("name", BY_HAND)
def test_gradients_of_each_sample(network: Network, name: str, probe: str) -> None:
    model, inputs, targets = prepared(network, name)
    gradients: list[list[Tensor]] = []
    for index, target in enumerate(targets):
        tape, logits = BY_HAND[name](model, inputs)
        loss = logits[index].sum() if probe == "jacobian" else -logits[index].log_softmax(0)[target]
        gradients.append([record["grad(weight)"] for record in tape.records(loss)])
    columns = [parse(f"frobenius_norm({reduction}(grad(weight)@{probe}))") for reduction in ("sum", "std")]
    measured = measure(model, inputs, targets, columns)
    for layer, of_samples in enumerate(zip(*gradients, strict=True)):
        stacked = torch.stack(of_samples)
        expected = [stacked.sum(0).norm().item(), stacked.std(0, correction=0).norm().item()]
        found = [measured.values[column][layer] for column in columns]
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-10)


def test_gradients_of_each_sample_need_a_row_of_logits_for_each(network: Network) -> None:
    model, inputs = network("perceptron")
    summed = nn.Sequential(model, nn.Flatten(0))
    with pytest.raises(ModelError, match=r"the model returns torch.float32 of shape \(24,\) for 6 samples"):
        measure(summed, inputs, None, [parse("sum(sum(grad(weight)@jacobian))")])


@pytest.mark.parametrize("name", BY_HAND)
def test_gradients_of_sub_batches(network: Network, name: str) -> None:
    model, inputs, targets = prepared(network, name)
    parts = PROBES["chunks"].sub_batches
    size = len(inputs) // parts
    gradients: list[list[Tensor]] = []
    for start in range(0, len(inputs), size):
        part = slice(start, start + size)
        records = records_by_hand(name, model, inputs[part], targets[part], "data")
        gradients.append([record["grad(weight)"] for record in records])
    texts = [
        "sum(mean(grad(weight)@chunks))",
        "frobenius_norm(std(grad(weight)@chunks))",
        "max(mean(abs(grad(weight)@chunks)))",
    ]
    columns = [parse(text) for text in texts]
    measured = measure(model, inputs, targets, columns)
    stacked = [torch.stack(layer) for layer in zip(*gradients, strict=True)]
    expected = [
        [layer.mean(0).sum() for layer in stacked],
        [layer.std(0, unbiased=False).norm() for layer in stacked],
        [layer.abs().mean(0).max() for layer in stacked],
    ]
    for column, values in zip(columns, expected, strict=True):
        np.testing.assert_allclose(measured.values[column], values, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("name", BY_HAND)
def test_plain_weights_are_the_weights(network: Network, name: str) -> None:
    model, inputs, targets = prepared(network, name)
    weights = [record["weight"] for record in records_by_hand(name, model, inputs, targets, "data")]
    for others in ((), (parse("sum(grad(weight)@noise)"),)):
        column = parse("sum(weight)")
        measured = measure(model, inputs, targets, [column, *others])
        np.testing.assert_allclose(measured.values[column], [weight.sum().item() for weight in weights], rtol=1e-9)


def test_a_matrix_summed_over_layers(network: Network) -> None:
    model, inputs, targets = prepared(network, "residual")
    records = records_by_hand("residual", model, inputs, targets, "data")
    kernel = np.zeros((6, 6))
    for record in records:
        codes = (record["preactivation"].flatten(1).numpy() > 0).astype(float)
        kernel += codes @ codes.T + (1 - codes) @ (1 - codes).T
    column = parse("logdet(layer_sum(sample_hamming(preactivation@data)))")
    measured = measure(model, inputs, targets, [column])
    np.testing.assert_allclose(measured.values[column], [np.linalg.slogdet(kernel)[1]], rtol=1e-9)


def test_without_targets_the_classes_are_random_and_always_the_same(network: Network) -> None:
    model, inputs = network("residual")
    column = parse("frobenius_norm(grad(weight)@data)")
    first, again = (measure(model, inputs, None, [column]).values[column] for _ in range(2))
    other = measure(model, inputs, None, [column], input_seed=1).values[column]
    assert (first == again).all() and (first != other).all()


def eznas_tensors() -> list[str]:
    """Weight, and seven tensors of a ReLU-Conv-BN triple under three inputs (Akhauri et al., 2022)."""
    triple = [
        "preactivation",
        "grad(preactivation)",
        "grad(weight)",
        "input",
        "grad(input)",
        "normalized",
        "grad(normalized)",
    ]
    return ["weight", *[f"{name}@{probe}" for probe in ("logits", "noise", "delta") for name in triple]]


def test_the_tensors_of_eznas_are_expressible(network: Network) -> None:
    texts = eznas_tensors()
    assert len(set(texts)) == 22
    model, inputs = network("cell")
    columns = [parse(f"l1_norm({text})") for text in texts]
    measured = measure(model, inputs, None, columns)
    for column in columns:
        assert measured.values[column].shape == (measured.layers,)
        assert np.isfinite(measured.values[column]).all() and measured.values[column].any()


# Probes


def test_synflow_by_hand(network: Network) -> None:
    model, inputs = network("cell")
    linear = copy.deepcopy(model).double().eval()
    for module in linear.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, nn.Identity())
    for parameter in linear.parameters():
        parameter.data.abs_()
    linear(torch.ones(1, 3, 8, 8, dtype=torch.float64)).sum().backward()
    layers = [module for module in linear.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    expected = sum(
        (layer.weight * layer.weight.grad).abs().sum().item() for layer in layers if layer.weight.grad is not None
    )
    assert Proxy(parse("sum(l1_norm(weight@ones * grad(weight)@ones))"))(model, inputs) == pytest.approx(
        expected, rel=1e-9
    )


def test_a_perturbation_changes_no_weight(network: Network) -> None:
    model, inputs = network("residual")
    column = parse("l1_norm(weight@delta)")
    assert not measure(model, inputs, None, [column]).values[column].any()


@pytest.mark.parametrize("probe", ["noise", "ones"])
def test_probes_without_images_ignore_the_pixels(network: Network, probe: str) -> None:
    model, inputs = network("cell")
    columns = [
        parse(f"{name}({leaf}@{probe})") for name in ("sum", "max") for leaf in ("input", "grad(weight)", "activation")
    ]
    first = measure(model, inputs, None, columns).values
    second = measure(model, 5.0 - inputs**2, None, columns).values
    assert all((first[column] == second[column]).all() for column in columns)


@pytest.mark.parametrize("probe", ["data", "logits", "delta", "chunks"])
def test_probes_with_images_see_the_pixels(network: Network, probe: str) -> None:
    model, inputs = network("cell")
    column = parse("l1_norm(mean(grad(weight)@chunks))" if probe == "chunks" else f"l1_norm(grad(weight)@{probe})")
    first = measure(model, inputs, None, [column]).values[column]
    second = measure(model, inputs.flip(3) * 2 + 1, None, [column]).values[column]
    assert (first != second).any()


def test_a_column_does_not_depend_on_what_else_is_measured(case: Case) -> None:
    model, inputs = case
    leaves = [leaf for leaf, kind in vocabulary().leaves.items() if kind in (Kind.WEIGHTS, Kind.ACTIVATIONS)]
    own = [leaf for leaf in leaves if leaf.rpartition("@")[2] not in OF_TEACHER]
    columns = [parse(f"l1_norm({leaf})") for leaf in own] + [
        parse("l1_norm(std(grad(weight)@chunks))"),
        parse("params"),
    ]
    together = measure(model, inputs, None, columns).values
    for column in columns[::7]:
        alone = measure(model, inputs, None, [column]).values[column]
        np.testing.assert_array_equal(alone, together[column])


def test_every_network_is_measured_and_finite(case: Case) -> None:
    model, inputs = case
    columns = [parse(f"frobenius_norm({leaf}@{probe})") for leaf in STATISTICS for probe in RECORDING]
    information = parse("trace(information@fisher)")
    measured = measure(model, inputs, None, [*columns, information])
    assert measured.values[information].shape == (1,) and measured.values[information] > 0
    assert measured.layers == sum(len(item) for item in [measured.values[columns[0]]])
    for column in columns:
        assert measured.values[column].shape == (measured.layers,)
        assert np.isfinite(measured.values[column]).all()
    for column in (column for column in columns if "grad(output)@logits" in str(column)):
        assert (measured.values[column] > 0).all()
