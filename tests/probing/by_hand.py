"""Networks computed by hand: no hooks and no modules, with the gradients that `backward` leaves behind."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional

from zcproxy.formula import vocabulary
from zcproxy.probing.probes import OF_TEACHER, PROBES
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
RECORDING = [name for name in PROBES if f"output@{name}" in vocabulary().leaves and name not in OF_TEACHER]
"""The probes that record the tensors of layers of the network itself."""


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


def batch_norm(values: Tensor, weight: Tensor, bias: Tensor, *, evaluates: bool = False) -> Tensor:
    axes = [axis for axis in range(values.dim()) if axis != 1]
    shape = [1, -1] + [1] * (values.dim() - 2)
    mean, variance = values.mean(axes, keepdim=True), values.var(axes, unbiased=False, keepdim=True)
    if evaluates:  # fresh running statistics
        mean, variance = torch.zeros_like(mean), torch.ones_like(variance)
    return (values - mean) / (variance + 1e-5).sqrt() * weight.view(shape) + bias.view(shape)


def group_norm(values: Tensor, groups: int, weight: Tensor, bias: Tensor) -> Tensor:
    parts = values.reshape(len(values), groups, -1)
    scaled = (parts - parts.mean(2, keepdim=True)) / (parts.var(2, unbiased=False, keepdim=True) + 1e-5).sqrt()
    return scaled.view_as(values) * weight[:, None, None] + bias[:, None, None]


def residual_by_hand(
    network: nn.Module, inputs: Tensor, *, normalised: bool = True, evaluates: bool = False
) -> tuple[Tape, Tensor]:
    tape = Tape(network)
    p, keep = tape.parameters, tape.keep
    images = inputs.clone().requires_grad_()
    stem = keep(functional.conv2d(images, p["stem.weight"], p["stem.bias"], padding=1))
    normal = stem
    if normalised:
        normal = keep(batch_norm(stem, p["stem_norm.weight"], p["stem_norm.bias"], evaluates=evaluates))
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


def perceptron_by_hand(
    network: nn.Module, inputs: Tensor, *, normalised: bool = True, evaluates: bool = False
) -> tuple[Tape, Tensor]:
    tape = Tape(network)
    p, keep = tape.parameters, tape.keep
    points = inputs.clone().requires_grad_()
    first = keep(points @ p["0.weight"].T + p["0.bias"])
    normal = first
    if normalised:
        normal = keep(batch_norm(first, p["1.weight"], p["1.bias"], evaluates=evaluates))
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


def share(network: nn.Module, value: float) -> None:
    """Put one value for all weights and scales, 0 for all biases."""
    for name, parameter in network.named_parameters():
        parameter.data = torch.full_like(parameter, 0.0 if name.endswith("bias") else value)


def weights_with_draws(network: nn.Module, layers: Iterable[str]) -> Iterable[tuple[nn.Parameter, torch.Generator]]:
    for place, layer in enumerate(layers):
        seed = derive_seed("redrawn weights", 0, place, "weight")
        yield network.get_parameter(f"{layer}.weight"), torch.Generator().manual_seed(seed)


def shake(network: nn.Module, layers: Iterable[str]) -> None:
    for weight, generator in weights_with_draws(network, layers):
        deviation = (weight.data - weight.data.mean()).square().mean().sqrt()
        weight.data += 0.1 * deviation * torch.randn(weight.shape, generator=generator).to(weight)


def permute(network: nn.Module, layers: Iterable[str]) -> None:
    for weight, generator in weights_with_draws(network, layers):
        order = torch.randperm(weight.numel(), generator=generator)
        weight.data = weight.data.reshape(-1)[order].reshape(weight.shape)


def round_to_four_bits(network: nn.Module, layers: Iterable[str]) -> None:
    """Fifteen levels per output channel, the largest number seven steps from zero."""
    for layer in layers:
        weight = network.get_parameter(f"{layer}.weight")
        values = weight.data.float()
        step = values.flatten(1).abs().amax(1).view(-1, *[1] * (values.dim() - 1)) / 7
        weight.data = ((values / step).round().clamp(-7, 7) * step).to(weight)


CHANGED: dict[str, Callable[[nn.Module, Iterable[str]], None]] = {
    "shared_small": lambda network, _: share(network, 1e-7),
    "shared_large": lambda network, _: share(network, 1.0),
    "shaken": shake,
    "permuted": permute,
}
"""Probes that change the network and look at the sum of its logits."""


Shown = tuple[nn.Module, Tensor]


def perturbed_and_clean(network: nn.Module, _: Iterable[str], inputs: Tensor) -> tuple[Shown, Shown]:
    return (network, inputs + 0.1 * gaussian(inputs, "perturbed")), (network, inputs)


def mixed_and_noise(network: nn.Module, layers: Iterable[str], inputs: Tensor) -> tuple[Shown, Shown]:
    noise, changed = gaussian(inputs, "noise"), redrawn(network, layers)
    return (changed, noise + 0.01 * gaussian(inputs, "mixed")), (changed, noise)


def rounded_and_whole(network: nn.Module, layers: Iterable[str], inputs: Tensor) -> tuple[Shown, Shown]:
    changed = copy.deepcopy(network)
    round_to_four_bits(changed, layers)
    return (changed, inputs), (network, inputs)


DIFFERENCES: dict[str, Callable[[nn.Module, Iterable[str], Tensor], tuple[Shown, Shown]]] = {
    "delta": perturbed_and_clean,
    "redrawn_delta": mixed_and_noise,
    "quantised": rounded_and_whole,
}
"""Probes that subtract one pass from another, both of the sum of the logits."""


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
    if probe in DIFFERENCES:
        records = []
        for changed, images in DIFFERENCES[probe](network, LAYERS[name], inputs):
            tape, logits = forward(changed, images)
            records.append(tape.records(logits.sum()))
        return [{key: a[key] - b[key] for key in a} for a, b in zip(*records, strict=True)]
    if probe == "redrawn":
        tape, logits = forward(redrawn(network, LAYERS[name]), gaussian(inputs, "noise"))
        return tape.records(logits.sum())
    if probe in ("ones", "normalised_ones"):
        positive = copy.deepcopy(network)
        for parameter in positive.parameters():
            parameter.data = parameter.data.abs()
        kept = probe == "normalised_ones"
        tape, logits = forward(positive, torch.ones_like(inputs[:1]), normalised=kept, evaluates=kept)
        return tape.records(logits.sum())
    if probe == "random_classes":
        tape, logits = forward(network, gaussian(inputs, "noise"))
        generator = torch.Generator().manual_seed(derive_seed("random classes", 0))
        classes = torch.randint(logits.shape[1], (len(inputs),), generator=generator)
        return tape.records(-logits.log_softmax(1)[torch.arange(len(inputs)), classes].mean())
    if probe in CHANGED:
        changed = copy.deepcopy(network)
        CHANGED[probe](changed, LAYERS[name])
        tape, logits = forward(changed, inputs if probe.startswith("shared") else gaussian(inputs, "noise"))
        return tape.records(logits.sum())
    images = gaussian(inputs, "noise") if probe == "noise" else inputs
    tape, logits = forward(network, images, evaluates=probe == "evaluation")
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
