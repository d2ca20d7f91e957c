from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterable
from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from zcproxy import Proxy
from zcproxy.errors import ModelError
from zcproxy.formula import (
    Kind,
    vocabulary,
)
from zcproxy.primitives import parse
from zcproxy.probing.measure import measure
from zcproxy.probing.probes import PROBES
from zcproxy.random import derive_seed

Case = tuple[nn.Module, Tensor]
Network = Callable[..., Case]
Record = dict[str, Tensor]
"""The tensors of one layer by the names of statistics, gradients included."""

REDUCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sum": torch.sum,
    "l1_norm": lambda x: x.abs().sum(),
    "frobenius_norm": lambda x: (x**2).sum().sqrt(),
    "max": torch.max,
    "min": torch.min,
}
TENSORS = ["weight", "input", "output", "normalized", "activation", "preactivation", "features"]
STATISTICS = [*TENSORS, *[f"grad({name})" for name in TENSORS]]
RECORDING = [name for name in PROBES if f"output@{name}" in vocabulary().leaves]
"""The probes that record the tensors of layers."""


# Networks by hand: no hooks and no modules, with the gradients that `backward` leaves behind


class Tape:
    """Keeps tensors and their gradients."""

    def __init__(self, network: nn.Module) -> None:
        self.parameters = {name: value.detach().clone().requires_grad_() for name, value in network.named_parameters()}
        self.rows: list[dict[str, Tensor]] = []

    def keep(self, value: Tensor) -> Tensor:
        value.retain_grad()
        return value

    def row(self, name: str, *, source: Tensor, output: Tensor, **others: Tensor) -> None:
        normalized = others.get("normalized", output)
        self.rows.append(
            {
                "weight": self.parameters[f"{name}.weight"],
                "input": source,
                "output": output,
                "normalized": normalized,
                "activation": others.get("activation", normalized),
                "preactivation": others.get("preactivation", source),
                "features": others.get("features", source),
            }
        )

    def records(self, loss: Tensor) -> list[Record]:
        loss.backward()
        found = []
        for row in self.rows:
            gradients = {f"grad({name})": value.grad for name, value in row.items() if value.grad is not None}
            found.append({**{name: value.detach() for name, value in row.items()}, **gradients})
        return found


def batch_norm(values: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    axes = [axis for axis in range(values.dim()) if axis != 1]
    shape = [1, -1] + [1] * (values.dim() - 2)
    mean, variance = values.mean(axes, keepdim=True), values.var(axes, unbiased=False, keepdim=True)
    return (values - mean) / (variance + 1e-5).sqrt() * weight.view(shape) + bias.view(shape)


def group_norm(values: Tensor, groups: int, weight: Tensor, bias: Tensor) -> Tensor:
    parts = values.reshape(len(values), groups, -1)
    scaled = (parts - parts.mean(2, keepdim=True)) / (parts.var(2, unbiased=False, keepdim=True) + 1e-5).sqrt()
    return scaled.view_as(values) * weight[:, None, None] + bias[:, None, None]


def residual_by_hand(network: nn.Module, inputs: Tensor, *, normalised: bool = True) -> tuple[Tape, Tensor]:
    tape = Tape(network)
    p, keep = tape.parameters, tape.keep
    images = inputs.clone().requires_grad_()
    stem = keep(functional.conv2d(images, p["stem.weight"], p["stem.bias"], padding=1))
    normal = keep(batch_norm(stem, p["stem_norm.weight"], p["stem_norm.bias"])) if normalised else stem
    positive = keep(normal.clamp(min=0.0))
    grouped = keep(functional.conv2d(positive, p["grouped.weight"], stride=2, padding=1, groups=2))
    branch = keep(group_norm(grouped, 2, p["group_norm.weight"], p["group_norm.bias"])) if normalised else grouped
    shortcut = keep(functional.conv2d(positive, p["shortcut.weight"], p["shortcut.bias"], stride=2))
    features = keep((shortcut + branch).clamp(min=0.0))
    pooled = keep(features.mean((2, 3)))
    logits = keep(pooled @ p["classify.weight"].T + p["classify.bias"])
    tape.row("stem", source=images, output=stem, normalized=normal, activation=positive)
    tape.row("grouped", source=positive, output=grouped, normalized=branch, preactivation=normal)
    tape.row("shortcut", source=positive, output=shortcut, preactivation=normal)
    tape.row("classify", source=pooled, output=logits, features=features)
    return tape, logits


def perceptron_by_hand(network: nn.Module, inputs: Tensor, *, normalised: bool = True) -> tuple[Tape, Tensor]:
    tape = Tape(network)
    p, keep = tape.parameters, tape.keep
    points = inputs.clone().requires_grad_()
    first = keep(points @ p["0.weight"].T + p["0.bias"])
    normal = keep(batch_norm(first, p["1.weight"], p["1.bias"])) if normalised else first
    positive = keep(normal.clamp(min=0.0))
    second = keep(positive @ p["4.weight"].T + p["4.bias"])
    squashed = keep(second.tanh())
    logits = keep(squashed @ p["6.weight"].T + p["6.bias"])
    tape.row("0", source=points, output=first, normalized=normal, activation=positive)
    # In evaluation mode dropout passes its input on as it is, so that the ReLU still feeds the layer.
    tape.row("4", source=positive, output=second, activation=squashed, preactivation=normal)
    tape.row("6", source=squashed, output=logits, preactivation=second)
    return tape, logits


BY_HAND = {"residual": residual_by_hand, "perceptron": perceptron_by_hand}
LAYERS = {"residual": ("stem", "grouped", "shortcut", "classify"), "perceptron": ("0", "4", "6")}
"""In order of execution."""


def gaussian(like: Tensor, kind: str) -> Tensor:
    generator = torch.Generator().manual_seed(derive_seed("probe input", kind, 0))
    return torch.randn(like.shape, generator=generator).to(like)


def redrawn(network: nn.Module, layers: Iterable[str]) -> nn.Module:
    """A copy with weights of layers from N(0, 1), their biases 0, and normalisations that change no scale."""
    fresh = copy.deepcopy(network)
    for name, parameter in fresh.named_parameters():
        parameter.data = torch.zeros_like(parameter) if name.endswith("bias") else torch.ones_like(parameter)
    for place, layer in enumerate(layers):
        weight = fresh.get_parameter(f"{layer}.weight")
        generator = torch.Generator().manual_seed(derive_seed("redrawn weights", 0, place, "weight"))
        weight.data = torch.randn(weight.shape, generator=generator).to(weight)
    return fresh


def records_by_hand(name: str, network: nn.Module, inputs: Tensor, targets: Tensor, probe: str) -> list[Record]:
    forward = BY_HAND[name]
    if probe == "data":
        tape, logits = forward(network, inputs)
        picked = logits.log_softmax(1)[torch.arange(len(targets)), targets]
        return tape.records(-picked.mean())
    if probe == "curvature":
        tape, logits = forward(network, inputs)
        picked = logits.log_softmax(1)[torch.arange(len(targets)), targets]
        gradients = torch.autograd.grad(-picked.mean(), [row["weight"] for row in tape.rows], create_graph=True)
        for value in (value for row in tape.rows for value in row.values()):
            value.grad = None  # kept tensors have received the first gradient
        return tape.records(torch.stack([gradient.square().sum() for gradient in gradients]).sum() / 2)
    if probe == "delta":
        noisy = inputs + 0.1 * gaussian(inputs, "perturbed")
        records = []
        for images in (noisy, inputs):
            tape, logits = forward(network, images)
            records.append(tape.records(logits.sum()))
        return [{key: a[key] - b[key] for key in a} for a, b in zip(*records, strict=True)]
    if probe == "redrawn":
        tape, logits = forward(redrawn(network, LAYERS[name]), gaussian(inputs, "noise"))
        return tape.records(logits.sum())
    if probe == "redrawn_delta":
        noise, other = gaussian(inputs, "noise"), gaussian(inputs, "mixed")
        records = []
        for images in (noise + 0.01 * other, noise):
            tape, logits = forward(redrawn(network, LAYERS[name]), images)
            records.append(tape.records(logits.sum()))
        return [{key: a[key] - b[key] for key in a} for a, b in zip(*records, strict=True)]
    if probe == "ones":
        positive = copy.deepcopy(network)
        for parameter in positive.parameters():
            parameter.data = parameter.data.abs()
        tape, logits = forward(positive, torch.ones_like(inputs[:1]), normalised=False)
        return tape.records(logits.sum())
    tape, logits = forward(network, gaussian(inputs, "noise") if probe == "noise" else inputs)
    return tape.records(logits.sum())


def prepared(network: Network, name: str) -> tuple[nn.Module, Tensor, Tensor]:
    model, inputs = network(name)
    targets = torch.tensor([0, 1, 2, 3, 3, 1])
    with torch.no_grad():
        for parameter in model.parameters():  # affine parameters at their start (1, 0) would hide a mistake
            parameter.add_(
                0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(parameter.numel()))
            )
    return model.double(), inputs.double(), targets


@pytest.mark.parametrize("probe", RECORDING)
@pytest.mark.parametrize("name", BY_HAND)
def test_statistics_equal_those_computed_by_hand(network: Network, name: str, probe: str) -> None:
    model, inputs, targets = prepared(network, name)
    records = records_by_hand(name, model, inputs, targets, probe)
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
    columns = [parse(f"l1_norm({leaf})") for leaf in leaves] + [
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
    columns.append(parse("frobenius_norm(response@fisher)"))
    measured = measure(model, inputs, None, columns)
    assert measured.layers == sum(len(item) for item in [measured.values[columns[0]]])
    for column in columns:
        assert measured.values[column].shape == (measured.layers,)
        assert np.isfinite(measured.values[column]).all()
    for column in (column for column in columns if "grad(output)@logits" in str(column)):
        assert (measured.values[column] > 0).all()


# The model and the world stay as they were

EVERY_PROBE = Proxy(
    parse(
        "sum(l1_norm(grad(weight)@data)) + sum(l1_norm(activation@noise)) + sum(l1_norm(grad(output)@delta))"
        " + sum(l1_norm(weight@ones * grad(weight)@ones)) + sum(l1_norm(std(grad(weight)@chunks)))"
        " + sum(l1_norm(weight)) + sum(l1_norm(grad(input)@logits)) + log_paths"
        " + sum(l1_norm(features@redrawn_delta)) + sum(l1_norm(grad(output)@redrawn))"
    )
)


def world(model: nn.Module) -> dict[str, object]:
    """Everything about a model and the random generators that a caller could notice."""
    modules = dict(model.named_modules())
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    return {
        "state": {name: value.clone() for name, value in model.state_dict().items()},
        "identity": {
            name: (id(value), value.data_ptr(), value._version, value.stride()) for name, value in tensors.items()
        },
        "modes": {name: module.training for name, module in modules.items()},
        "requires_grad": {name: value.requires_grad for name, value in model.named_parameters()},
        "grad": {name: None if value.grad is None else value.grad.clone() for name, value in model.named_parameters()},
        "hooks": {
            name: [
                len(value) for key, value in sorted(vars(module).items()) if "hooks" in key and isinstance(value, dict)
            ]
            for name, module in modules.items()
        },
        "attributes": {name: sorted(vars(module)) for name, module in modules.items()},
        "torch": torch.get_rng_state(),
        "python": random.getstate(),
        "numpy": np.random.get_state()[1],
        "grad mode": torch.is_grad_enabled(),
        "threads": torch.get_num_threads(),
    }


def equal(first: object, second: object) -> bool:
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(equal(first[key], second[key]) for key in first)
    if isinstance(first, Tensor | np.ndarray):
        return np.array_equal(np.asarray(first), np.asarray(second), equal_nan=True)
    return first == second


def unchanged(model: nn.Module, inputs: Tensor, score: Callable[[], float]) -> float:
    before, pixels = world(model), inputs.clone()
    state = inputs.requires_grad, inputs.grad, inputs._version
    result = score()
    after = world(model)
    assert [key for key in before if not equal(before[key], after[key])] == []
    assert torch.equal(pixels, inputs) and (inputs.requires_grad, inputs.grad, inputs._version) == state
    return result


@pytest.mark.parametrize("training", [True, False])
def test_nothing_changes(case: Case, training: bool) -> None:
    model, inputs = case
    model.train(training)
    first = unchanged(model, inputs, lambda: EVERY_PROBE(model, inputs))
    assert np.isfinite(first)
    assert EVERY_PROBE(model, inputs) == first


def test_the_mode_of_the_model_does_not_matter(case: Case) -> None:
    model, inputs = case
    assert EVERY_PROBE(model.train(), inputs) == EVERY_PROBE(model.eval(), inputs)


def test_frozen_parameters_gradients_hooks_and_running_statistics_stay(case: Case) -> None:
    model, inputs = case
    expected = EVERY_PROBE(model, inputs)
    parameters = list(model.parameters())
    for index, parameter in enumerate(parameters):
        parameter.grad = torch.full_like(parameter, float(index))
        parameter.requires_grad_(index % 2 == 0)
    for module in model.modules():
        module.train(isinstance(module, nn.Linear))
        module.register_forward_hook(lambda *_: None)
        module.register_forward_pre_hook(lambda *_: None)
    for name, buffer in model.named_buffers():
        if name.endswith("running_mean"):
            buffer.add_(3.0)
    assert unchanged(model, inputs, lambda: EVERY_PROBE(model, inputs)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", ["cell", "residual", "perceptron"])
def test_backward_hooks_do_not_matter(network: Network, name: str) -> None:
    model, inputs = network(name)
    expected = EVERY_PROBE(model, inputs)
    for module in model.modules():
        module.register_full_backward_hook(lambda *_: None)
    assert unchanged(model, inputs, lambda: EVERY_PROBE(model, inputs)) == pytest.approx(expected, rel=1e-6)


def test_the_random_state_neither_changes_nor_matters(case: Case) -> None:
    model, inputs = case
    scores = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        np.random.seed(seed)
        random.seed(seed)
        scores.append(unchanged(model, inputs, lambda: EVERY_PROBE(model, inputs)))
    assert scores[0] == scores[1]


def test_inputs_with_a_gradient_stay_as_they_are(case: Case) -> None:
    model, inputs = case
    expected = EVERY_PROBE(model, inputs)
    inputs.requires_grad_()
    assert unchanged(model, inputs, lambda: EVERY_PROBE(model, inputs)) == expected


def test_a_score_under_no_grad_is_the_same(case: Case) -> None:
    model, inputs = case
    expected = EVERY_PROBE(model, inputs)
    with torch.no_grad():
        assert unchanged(model, inputs, lambda: EVERY_PROBE(model, inputs)) == expected


def test_a_model_that_fails_stays_as_it_was(network: Network) -> None:
    model, _ = network("residual")

    def fails() -> float:
        with pytest.raises(ModelError):
            EVERY_PROBE(model, torch.zeros(2, 5, 8, 8))
        return 0.0

    unchanged(model, torch.zeros(1), fails)


def test_the_layout_of_inputs_and_weights_does_not_matter(network: Network) -> None:
    model, inputs = network("residual")
    expected = EVERY_PROBE(model, inputs)
    channels_last = copy.deepcopy(model).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's types lack it
    assert EVERY_PROBE(channels_last, inputs.contiguous(memory_format=torch.channels_last)) == pytest.approx(
        expected, rel=1e-5
    )


# Dead layers


class DeadEnds(nn.Module):
    """One layer feeds nothing, one is fed zeros, and two work."""

    def __init__(self, *, dead: bool) -> None:
        super().__init__()
        self.first = nn.Linear(6, 5)
        self.last = nn.Linear(5, 3)
        self.unused = nn.Linear(6, 50)
        self.starved = nn.Linear(5, 3, bias=False)
        self.dead = dead

    def forward(self, inputs: Tensor) -> Tensor:
        logits = self.last(torch.relu(self.first(inputs)))
        if self.dead:
            self.unused(inputs)
            logits = logits + self.starved(torch.zeros_like(inputs[:, :5]))
        return logits


def test_dead_layers_are_in_no_column() -> None:
    torch.manual_seed(0)
    model = DeadEnds(dead=True)
    clean = copy.deepcopy(model)
    clean.dead = False
    inputs = torch.randn(6, 6)
    texts = ["params", "macs", "l1_norm(weight)", "l1_norm(grad(weight)@noise)", "l1_norm(output@data)"]
    texts += [
        "l1_norm(weight@ones)",
        "logdet(layer_sum(sample_gram(output@noise)))",
        "depth",
        "l1_norm(mean(grad(weight)@chunks))",
    ]
    columns = [parse(text) for text in texts]
    measured, expected = (measure(item, inputs, None, columns) for item in (model, clean))
    assert measured.layers == expected.layers == 2
    for column in columns:
        np.testing.assert_array_equal(measured.values[column], expected.values[column])


def test_a_network_without_a_live_layer_is_undefined() -> None:
    class Cut(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(6, 3)

        def forward(self, inputs: Tensor) -> Tensor:
            return self.layer(inputs).detach() * 0.0 + inputs[:, :3]

    for text in ("sum(l1_norm(grad(weight)@noise))", "logdet(layer_sum(sample_gram(output@noise)))", "mean(params)"):
        assert np.isnan(Proxy(parse(text))(Cut(), torch.randn(4, 6)))


# Bad models


class Yields(nn.Module):
    """Has a layer and then yields whatever it is told to."""

    def __init__(self, result: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 3)
        self.result = result

    def forward(self, inputs: Tensor) -> object:
        return self.result(self.layer(inputs))


def raises(error: Exception) -> Callable[[Tensor], object]:
    def raising(_: Tensor) -> object:
        raise error

    return raising


def infinite() -> nn.Module:
    model = nn.Linear(6, 3)
    model.bias.data[1] = torch.inf
    return model


def not_a_number() -> nn.Module:
    model = nn.Sequential(nn.Linear(6, 3), nn.BatchNorm1d(3))
    model[1].weight.data[0] = torch.nan
    return model


FLOATS = (6,)
BAD: dict[str, tuple[Callable[[], nn.Module], Iterable[int], str]] = {
    "raises": (lambda: Yields(raises(RuntimeError("first\nsecond"))), FLOATS, "the model failed on input of shape"),
    "raises a key error": (lambda: Yields(raises(KeyError("stage"))), FLOATS, "stage"),
    "raises without words": (lambda: Yields(raises(ValueError())), FLOATS, "ValueError"),
    "not implemented": (lambda: Yields(raises(NotImplementedError())), FLOATS, "NotImplementedError"),
    "fails an assertion": (lambda: Yields(raises(AssertionError("size"))), FLOATS, "size"),
    "no forward": (nn.Module, FLOATS, "forward"),
    "returns a tuple": (lambda: Yields(lambda x: (x, x)), FLOATS, "the model returns tuple, expected one tensor"),
    "returns None": (lambda: Yields(lambda x: None), FLOATS, "the model returns NoneType"),
    "returns a dictionary": (lambda: Yields(lambda x: {"logits": x}), FLOATS, "the model returns dict"),
    "returns a number": (lambda: Yields(lambda x: 1.0), FLOATS, "the model returns float"),
    "returns classes": (lambda: Yields(lambda x: x.argmax(1)), FLOATS, "the model returns a tensor of torch.int64"),
    "has no weight layer": (
        lambda: nn.Sequential(nn.ReLU(), nn.BatchNorm1d(6)),
        FLOATS,
        "no convolution or linear layer",
    ),
    "is empty": (nn.Identity, FLOATS, "no convolution or linear layer"),
    "has NaN weights": (not_a_number, FLOATS, "parameter 1.weight holds NaN or infinity"),
    "has infinite weights": (infinite, FLOATS, "parameter bias holds NaN or infinity"),
    "another width": (lambda: nn.Linear(6, 3), (7,), "the model failed on input of shape (2, 7)"),
    "another rank": (lambda: nn.Conv2d(3, 4, 3), (6,), "the model failed on input of shape"),
    "too small images": (lambda: nn.Sequential(nn.Conv2d(3, 4, 7)), (3, 4, 4), "the model failed on input of shape"),
    "other precision": (lambda: nn.Linear(6, 3).double(), FLOATS, "the model failed on input of shape"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_models_are_a_model_error_of_one_line(name: str) -> None:
    make, shape, message = BAD[name]
    for text in ("sum(l1_norm(grad(weight)@data))", "sum(params)", "depth", "sum(l1_norm(weight))"):
        with pytest.raises(ModelError) as raised:
            Proxy(parse(text))(make(), torch.randn(4, *shape))
        assert message in str(raised.value)
        assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.bool])
def test_inputs_that_are_no_floats_are_a_model_error(dtype: torch.dtype) -> None:
    with pytest.raises(ModelError, match=rf"^inputs are {dtype}, expected floating-point numbers$"):
        Proxy(parse("depth"))(nn.Linear(6, 3), torch.ones(4, 6).to(dtype))


def test_a_forward_pass_of_changing_layers_is_a_model_error() -> None:
    class Fickle(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(6, 6)

        def forward(self, inputs: Tensor) -> Tensor:
            return self.layer(self.layer(inputs)) if len(inputs) > 2 else self.layer(inputs)

    with pytest.raises(ModelError, match="its forward is not fixed"):
        Proxy(parse("sum(l1_norm(output@data))"))(Fickle(), torch.randn(4, 6))


# Bad calls that are reported, but not as they should be


def gradients_of_data(model: nn.Module, *arguments: Tensor) -> None:
    Proxy(parse("sum(l1_norm(grad(weight)@data))"))(model, *arguments)


@pytest.mark.parametrize(
    ("make", "shape", "targets"),
    [
        (lambda: nn.Linear(6, 3), (6,), torch.tensor([0, 1])),
        (lambda: nn.Linear(6, 3), (6,), torch.tensor([0, 1, 2, 7])),
        (lambda: nn.Linear(6, 3), (6,), torch.rand(4)),
        (lambda: nn.Sequential(nn.Linear(6, 1), nn.Flatten(0)), (6,), None),
        (lambda: nn.Conv2d(3, 4, 3), (3, 8, 8), None),
    ],
    ids=["too few targets", "targets out of range", "targets of floats", "one number a sample", "a map a sample"],
)
def test_targets_and_logits_that_do_not_fit_are_a_model_error(
    make: Callable[[], nn.Module], shape: tuple[int, ...], targets: Tensor | None
) -> None:
    with pytest.raises(ModelError):
        gradients_of_data(make(), torch.randn(4, *shape), *([] if targets is None else [targets]))


class Empty(nn.Module):
    """A layer without outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(0, 6))

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs + functional.linear(inputs, self.weight).sum()


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
@pytest.mark.parametrize("kind", ["lazy", "script", "script inside", "meta", "empty", "function"])
def test_models_that_cannot_be_prepared_are_a_model_error(kind: str) -> None:
    model: nn.Module = nn.Sequential(nn.Linear(6, 3))
    if kind == "lazy":
        model = nn.Sequential(nn.LazyLinear(3))
    elif kind == "meta":
        model = nn.Linear(6, 3, device="meta")
    elif kind == "empty":
        model = nn.Sequential(Empty(), nn.Linear(6, 3))
    elif kind == "function":
        model = model.forward  # type: ignore[assignment]
    else:
        model = torch.jit.trace(model, torch.ones(1, 6))
        model = model if kind == "script" else nn.Sequential(model)
    with pytest.raises(ModelError) as raised:
        gradients_of_data(model, torch.randn(4, 6))
    assert len(str(raised.value)) < 500 and "\n" not in str(raised.value)


def test_reparametrised_weights_have_a_gradient() -> None:
    model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))
    inputs = torch.randn(4, 6)
    proxy = Proxy(parse("sum(l1_norm(grad(weight)@noise))"))
    expected = proxy(model, inputs)
    for layer in (model[0], model[2]):
        nn.utils.parametrizations.weight_norm(layer)
    assert proxy(model, inputs) == pytest.approx(expected, rel=1e-4)


def test_messages_of_targets_that_do_not_fit() -> None:
    inputs = torch.randn(4, 6)
    for targets, message in (
        (torch.tensor([0, 1]), "targets are torch.int64 of shape (2,), expected one torch.int64 class for each of 4"),
        (torch.tensor([0, 1, 2, 7]), "targets are not all among the 3 classes"),
        (torch.tensor([0, 1, 2, -1]), "targets are not all among the 3 classes"),
        (torch.zeros(4, dtype=torch.uint8), "targets are torch.uint8 of shape (4,)"),
    ):
        with pytest.raises(ModelError) as raised:
            gradients_of_data(nn.Linear(6, 3), inputs, targets)
        assert message in str(raised.value)


@pytest.mark.parametrize("shape", [(0, 6), (4, 0), ()])
def test_inputs_that_hold_nothing_are_a_model_error(shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match="hold nothing: give at least one sample"):
        gradients_of_data(nn.Linear(6, 3), torch.zeros(shape))


def test_a_part_of_one_sample_that_cannot_be_normalised_is_a_model_error() -> None:
    model = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Linear(5, 3))
    with pytest.raises(ModelError, match=r"^the model failed on input of shape \(1, 6\): Expected more than 1 value"):
        Proxy(parse("sum(l1_norm(std(grad(weight)@chunks)))"))(model, torch.randn(3, 6))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_measured_in_single_precision(network: Network, dtype: torch.dtype) -> None:
    model, inputs = network("residual")
    model, inputs = model.to(dtype), inputs.to(dtype)
    expected = EVERY_PROBE(copy.deepcopy(model).float(), inputs.float())
    assert EVERY_PROBE(model, inputs) == EVERY_PROBE(model, inputs.float()) == expected
    assert all(value.dtype == dtype for value in (inputs, *model.parameters()))


def test_a_score_in_inference_mode_is_the_same(network: Network) -> None:
    model, inputs = network("residual")
    targets = torch.arange(6) % 5
    expected = EVERY_PROBE(model, inputs, targets)
    with torch.inference_mode():
        assert EVERY_PROBE(model, inputs, targets) == expected
        assert EVERY_PROBE(copy.deepcopy(model), inputs.clone(), targets.clone()) == expected


@pytest.mark.parametrize("reentrant", [False, True])
def test_checkpoints(reentrant: bool) -> None:
    class Checkpointed(nn.Module):
        def __init__(self, model: nn.Sequential) -> None:
            super().__init__()
            self.first, self.rest = model[0], model[1:]

        def forward(self, inputs: Tensor) -> Tensor:
            return checkpoint(self.rest, self.first(inputs), use_reentrant=reentrant)

    model = nn.Sequential(nn.Linear(6, 5), nn.LayerNorm(5), nn.ReLU(), nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3))
    inputs = torch.randn(4, 6)
    if reentrant:
        with pytest.raises(ModelError, match=r"^the backward pass of the model failed: .*use_reentrant=False"):
            EVERY_PROBE(Checkpointed(model), inputs)
    else:
        assert EVERY_PROBE(Checkpointed(model), inputs) == EVERY_PROBE(model, inputs)


@pytest.mark.parametrize("change", [lambda x: x.sub_(1.0), functional.relu_, lambda x: x.zero_().add_(1.0)])
def test_a_model_that_overwrites_its_input_leaves_the_callers_alone(change: Callable[[Tensor], Tensor]) -> None:
    class Overwrites(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(6, 3)

        def forward(self, inputs: Tensor) -> Tensor:
            return self.layer(change(inputs))

    model, inputs = Overwrites(), torch.randn(4, 6)
    first = unchanged(model, inputs, lambda: EVERY_PROBE(model, inputs))
    assert np.isfinite(first)
    assert EVERY_PROBE(model, inputs) == first


def test_what_overwrites_a_normalised_tensor_leaves_the_one_before_alone() -> None:
    class Residual(nn.Module):
        def __init__(self, in_place: bool) -> None:
            super().__init__()
            self.first, self.norm, self.last = nn.Linear(6, 5), nn.LayerNorm(5), nn.Linear(5, 3)
            self.in_place = in_place

        def forward(self, inputs: Tensor) -> Tensor:
            values = self.first(inputs)
            branch = self.norm(values)
            if self.in_place:
                branch += 0.5 * values
            else:
                branch = branch + 0.5 * values
            return self.last(branch + values)

    in_place, plain = Residual(True), Residual(False)
    plain.load_state_dict(in_place.state_dict())
    inputs = torch.randn(4, 6)
    assert EVERY_PROBE(in_place, inputs) == pytest.approx(EVERY_PROBE(plain, inputs), rel=1e-6)


def test_normalisations_called_by_keyword(network: Network) -> None:
    class ByKeyword(nn.Module):
        def __init__(self, layers: nn.Sequential) -> None:
            super().__init__()
            self.layers = layers

        def forward(self, inputs: Tensor) -> Tensor:
            for layer in self.layers:
                inputs = layer(input=inputs)
            return inputs

    model, inputs = network("perceptron")
    assert EVERY_PROBE(ByKeyword(model), inputs) == EVERY_PROBE(model, inputs)
