"""What layers do with their inputs: features, their spectra, and Jacobians."""

from __future__ import annotations

import copy
import math
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from direct_proxies.networks import Attention, Plain
from direct_proxies.records import calls_of, channels, gradient_of, noise, numbers, weighted
from zcproxy.random import derive_seed


def meco(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Jiang et al.: smallest eigenvalue of the correlation between channels.

    Their code takes every module's output for one image: see `authors.meco`.
    """
    matrices = [np.corrcoef(channels(call.output)) for call in calls_of(model, noise(inputs))[1]]
    return float(sum(np.linalg.eigvals(matrix).real.min() for matrix in matrices))


def expressivities(model: nn.Module, inputs: Tensor) -> Any:
    """Lee and Ham: entropy of the normalised eigenvalues of the covariance between channels, for each block."""
    found = []
    for features in blocks(model, noise(inputs)):
        values = np.linalg.eigvalsh(np.cov(channels(features), bias=True))
        share = np.abs(values) / np.abs(values).sum()
        found.append(-sum(p * math.log(p) for p in share if p > 0))
    return np.array(found)


def az_expressivity(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    return float(expressivities(model, inputs).sum())


def az_progressivity(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    return float(np.diff(expressivities(model, inputs)).min())


def az_trainability(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Lee and Ham: mean of 2 - s - 1 / s, s the spectral norm of the mean of products of gradients and random signs.

    As in their code, s + 1e-6 in the denominator. Where the gradient equals the signs (a block hands on its input) they
    give minus infinity, here it is the smallest number of the formula.
    """
    scores = []
    for place, (before, after) in enumerate(pairwise(blocks(model, noise(inputs)))):
        generator = torch.Generator().manual_seed(derive_seed("signs", 0, place))
        signs = torch.randint(2, after.shape, generator=generator).to(inputs) * 2 - 1
        (gradient,) = torch.autograd.grad(after, before, signs, retain_graph=True)
        if after.dim() == 4 and before.shape[2] % after.shape[2]:
            continue
        if after.dim() == 4:
            gradient = functional.pixel_unshuffle(gradient, gradient.shape[2] // signs.shape[2])
        rows = [channel_rows(x) for x in (signs, gradient)]
        hands_on = rows[0].shape == rows[1].shape and (rows[0] == rows[1]).all()
        norm = 0.0 if hands_on else np.linalg.norm(rows[0].T @ rows[1] / len(rows[0]), 2)
        scores.append(2.0 - norm - 1.0 / (norm + 1e-6))
    return float(np.mean(scores))


def channel_rows(x: Tensor) -> Any:
    """Samples and positions x channels; tokens have the channels last."""
    axis = 1 if x.dim() == 4 else -1
    return numbers(x.movedim(axis, -1).reshape(-1, x.shape[axis]))


def blocks(model: nn.Module, inputs: Tensor) -> list[Tensor]:
    """What each block of the three networks ends with, in one graph."""
    fresh = copy.deepcopy(model).train()
    kept: list[Tensor] = []
    if isinstance(fresh, Attention):
        fresh.patches.register_forward_hook(lambda _, inputs, output: kept.append(output))
        fresh.perceptron.register_forward_hook(lambda _, inputs, output: kept.extend([inputs[0], inputs[0] + output]))
    else:
        ends = [fresh.stem, fresh.body[2], fresh.body[5]] if isinstance(fresh, Plain) else [fresh.stem, *fresh.body]
        for module in ends:
            module.register_forward_hook(lambda _, inputs, output: kept.append(output))
    fresh(inputs.clone().requires_grad_())
    return kept


def eznas(tensors: list[Any], dead: int = 0) -> float:
    """Akhauri et al.: mean of |sigmoid(ln |det sign X|)|_F, dead layers as 0; sigmoid(ln d) = d / (1 + d).

    Their code puts 0 for the logarithm of a negative determinant: see `authors.eznas_a`.
    """
    norms = []
    for x in tensors:
        if x.ndim == 4 and x.shape[2] == x.shape[3]:
            magnitudes = np.exp(np.linalg.slogdet(np.sign(x))[1])
            norms.append(math.sqrt(((magnitudes / (1.0 + magnitudes)) ** 2).sum()))
    return sum(norms) / (len(norms) + dead) if norms else math.nan


def eznas_a(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """The gradient at the input of each ReLU in front of a layer with positions, through this ReLU alone."""
    fresh = copy.deepcopy(model).train()
    found = []
    for first, second in pairwise(fresh.modules()):
        if isinstance(first, nn.ReLU) and isinstance(second, nn.Conv2d):
            first.register_full_backward_hook(lambda _, given, __: found.append(given[0]))
    fresh(inputs.clone().requires_grad_()).sum().backward()
    arrived = [numbers(gradient) for gradient in found if gradient is not None and gradient.any()]
    return eznas(arrived, dead_layers(model, inputs))


def dead_layers(model: nn.Module, inputs: Tensor) -> int:
    """How many layers see only zeros or have no effect on the logits."""
    logits, calls = calls_of(model, inputs)
    logits.sum().backward()
    live = [call for call in calls if call.source.any() and call.output.grad is not None and call.output.grad.any()]
    return len(calls) - len(live)


def eznas_a_text(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """The same of weight gradients under noise, for layers behind a ReLU."""
    fresh = copy.deepcopy(model).train()
    behind = [
        second
        for first, second in pairwise(fresh.modules())
        if isinstance(first, nn.ReLU) and isinstance(second, nn.Conv2d)
    ]
    fresh(noise(inputs)).sum().backward()
    gradients = [gradient_of(module) for module in behind]
    return eznas([numbers(gradient) for gradient in gradients if gradient.any()], dead_layers(model, inputs))


def redrawn(model: nn.Module, inputs: Tensor) -> nn.Module:
    """A copy with weights from N(0, 1) and without biases, drawn for one layer after the other as they are called."""
    fresh = copy.deepcopy(model).train()
    order: list[nn.Module] = []
    handles = [
        module.register_forward_hook(lambda module, inputs, output: order.append(module)) for module in weighted(fresh)
    ]
    with torch.no_grad():
        fresh(inputs)
        for place, module in enumerate(order):
            generator = torch.Generator().manual_seed(derive_seed("redrawn weights", 0, place, "weight"))
            module.weight.copy_(torch.randn(module.weight.shape, generator=generator))
            if module.bias is not None:
                module.bias.zero_()
    for handle in handles:
        handle.remove()
    return fresh


def pooled(model: nn.Module, inputs: Tensor) -> Tensor:
    """What is pooled before the classifier, or the classifier's input."""
    kept: list[Tensor] = []
    watched: list[nn.Module] = [module for module in model.modules() if isinstance(module, nn.AdaptiveAvgPool2d)]
    watched += [model.head] if isinstance(model, Plain) else []
    handles = [module.register_forward_hook(lambda _, inputs, output: kept.append(inputs[0])) for module in watched]
    if isinstance(model, Attention):
        hook = model.perceptron.register_forward_hook(lambda _, inputs, output: kept.append(inputs[0] + output))
        handles.append(hook)
    with torch.no_grad():
        model(inputs)
    for handle in handles:
        handle.remove()
    (features,) = kept
    return features


def zen(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Lin et al.: ln of the L1 difference of features that a small change of the input makes, and ln of the scales.

    idstcv/ZenNAS, compute_zen_score.py reads the variances off the normalisations, a mean over samples: see
    `authors.zen`.
    """
    fresh = redrawn(model, inputs)
    clean = noise(inputs)
    generator = torch.Generator().manual_seed(derive_seed("probe input", "mixed", 0))
    mixed = clean + 0.01 * torch.randn(inputs.shape, generator=generator).to(inputs)
    difference = (pooled(fresh, mixed) - pooled(fresh, clean)).abs().sum().item()
    scales = 0.0
    for call in calls_of(fresh, clean)[1]:
        if call.normalized is not call.output:
            variance = channels(call.output).var(1).mean()
            running = 1.0
            for _ in range(2):  # a pass each for the clean and the mixed input; their variances are taken for equal
                running = 0.9 * running + 0.1 * variance
            scales += math.log(math.sqrt(running))
    return math.log(difference) + scales
