"""Proxies of 2023 to 2026: from their texts, or from descriptions where no text was found."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from direct_proxies.records import Call, calls_of, channels, noise, numbers
from direct_proxies.samples import swap
from direct_proxies.weight_gradients import magnitudes, per_sample, zico
from zcproxy.random import derive_seed


def positions(call: Call) -> float:
    """Output positions of one channel of one sample."""
    return call.output.numel() / len(call.output) / call.weight.shape[0]


def apd(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Squared Frobenius over squared spectral norm of normalised features, times l1 over l2 norm of the weights."""
    ranks = spread = 0.0
    for call in calls_of(model, inputs)[1]:
        if call.normalized is not call.output:
            features = channels(call.normalized)
            ranks += float(np.linalg.norm(features) ** 2 / np.linalg.norm(features, 2) ** 2)
        if positions(call) > 1:
            weight = numbers(call.weight).ravel()
            spread += float(np.linalg.norm(weight, 1) / np.linalg.norm(weight, 2))
    return float(ranks * spread)


def zico_bc(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Bhardwaj et al., equation 2 with a weight of 1: ZiCo less the sum of ln(H W / sqrt C)."""
    penalties = [math.log(positions(call) / math.sqrt(call.weight.shape[0])) for call in calls_of(model, inputs)[1]]
    return zico(model, inputs, targets) - sum(penalties)


def ibfs(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Entropy of the squared singular values of the Jacobian by the weights: the spectrum of J J^T."""
    spectrum = np.linalg.svd(per_sample(model, lambda logits: logits.sum(1), inputs), compute_uv=False) ** 2
    return entropy(spectrum)


def entropy(values: Any) -> float:
    share = values / values.sum()
    return float(-sum(p * math.log(p) for p in share if p > 0))


def intrain(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Zhou et al.: sum of ln PR(C) times (1 + sum of std / max of gradients) over ln(L + 1)."""
    logits, calls = calls_of(model, noise(inputs))
    generator = torch.Generator().manual_seed(derive_seed("random classes", 0))
    classes = torch.randint(logits.shape[1], (len(inputs),), generator=generator)
    found = torch.autograd.grad(functional.cross_entropy(logits, classes), [call.weight for call in calls])
    health = sum(min(1.0, numbers(gradient).std() / np.abs(numbers(gradient)).max()) for gradient in found)
    capacity = 0.0
    for call in calls:
        covariance = np.cov(channels(call.output))
        capacity += math.log(np.trace(covariance) ** 2 / np.trace(covariance @ covariance))
    return float(capacity * (1.0 + health) / math.log(len(calls) + 1))


def near(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Husistein et al.: exp of the entropy of singular values, of what is before and behind the non-linearities."""
    total = 0.0
    for call in calls_of(model, inputs)[1]:
        total += math.exp(entropy(np.linalg.svd(channels(call.output), compute_uv=False)))
        if call.units is not call.source:
            total += math.exp(entropy(np.linalg.svd(channels(call.source), compute_uv=False)))
    return total


def l_swag(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Casarin et al., equation 1 over all layers: sum of ln(sum of 1 / std of |gradient|) times distinct patterns."""
    trainability = 0.0
    for layer in magnitudes(model, inputs, targets):
        deviations = layer.std(0)
        varied = deviations[deviations > 0.0]
        trainability += math.log((1.0 / varied).sum()) if len(varied) else 0.0
    return trainability * swap(model, inputs, targets)


def wrcor(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Jing et al., equations 10 and 11: ln det of sums of |correlations| between samples, doubling with the layers."""
    logits, calls = calls_of(model, inputs)
    loss = functional.cross_entropy(logits, targets)
    units = [call.units for call in calls]
    kernel = np.zeros((len(inputs), len(inputs)))
    for place, pair in enumerate(zip(units, torch.autograd.grad(loss, units), strict=True), start=1 - len(units)):
        kernel += 2.0**place * sum(np.abs(np.corrcoef(numbers(x.flatten(1)))) for x in pair)
    sign, magnitude = np.linalg.slogdet(kernel)
    return float(magnitude) if sign > 0 else math.nan


def epsinas(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """egracheva/epsinas, epsinas_utils.py, compute_epsinas with the first pair of weights that its search tries."""
    found = []
    for value in (1e-7, 1.0):
        fresh = copy.deepcopy(model).double().train()
        for name, parameter in fresh.named_parameters():
            parameter.data.fill_(0.0 if name.endswith("bias") else value)
        logits = numbers(fresh(inputs.double())).ravel()
        scaled = (logits - logits.min()) / (logits.max() - logits.min())
        found.append(np.where(scaled == 0.0, np.nan, scaled))
    return float(np.nanmean(np.abs(found[0] - found[1])) / np.nanmean(np.array(found)))


def dextr(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Asthana et al., equation 8; the curvature by the angle, as in their get_extrinsic_curvature."""
    evenness = 0.0
    for call in calls_of(model, inputs)[1]:
        values = np.linalg.svd(channels(call.output), compute_uv=False)
        evenness += values[-1] / values[0]
    plane = [
        torch.randn(inputs[:1].shape, generator=torch.Generator().manual_seed(derive_seed("probe input", name, 0)))
        for name in ("circle", "direction")
    ]
    basis, triangle = np.linalg.qr(np.stack([numbers(each.double()).ravel() for each in plane], axis=1))
    first, second = (torch.tensor(column).view_as(inputs[:1]) for column in (basis * np.sign(np.diag(triangle))).T)
    angle = torch.zeros((), dtype=torch.float64, requires_grad=True)
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        logits = copy.deepcopy(model).double().train()(angle.cos() * first + angle.sin() * second)
        speeds = [torch.autograd.grad(logit, angle, create_graph=True)[0] for logit in logits.flatten()[:10]]
        bends = [torch.autograd.grad(speed, angle, retain_graph=True)[0] for speed in speeds]
    v, a = (np.array([each.item() for each in row]) for row in (speeds, bends))
    parts = math.log1p(evenness), math.log1p(math.sqrt((v @ v) * (a @ a) - (v @ a) ** 2) / (v @ v) ** 1.5)
    return parts[0] * parts[1] / (parts[0] + parts[1])
