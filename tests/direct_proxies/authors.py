"""What the authors' released code computes on networks of `nn.Conv2d`, `nn.BatchNorm2d`, `nn.ReLU` and `nn.Linear`.

Each function takes a network, images and classes, works on a copy in training mode and follows the named function step
by step: their modules, their order of sums, what they do with layers that no gradient reaches.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from direct_proxies.layers import pooled, redrawn
from direct_proxies.records import noise, numbers, weighted
from zcproxy.random import derive_seed


def of_weights(model: nn.Module, loss: Tensor) -> list[Tensor]:
    """Gradients by the weights of convolutions and linear layers; zeros where none arrives."""
    weights = [module.weight for module in weighted(model)]
    return list(torch.autograd.grad(loss, weights, allow_unused=True, materialize_grads=True))


def l2_norm(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """NASLib, measures/l2_norm.py, get_l2_norm_array: all layers, also those that no signal passes."""
    return sum(module.weight.norm().item() for module in weighted(model))


def fisher(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """SamsungLabs/zero-cost-nas, measures/fisher.py, compute_fisher_per_weight: half a mean over samples."""
    fresh = copy.deepcopy(model).train()
    outputs: dict[nn.Module, Tensor] = {}
    for module in weighted(fresh):
        module.register_forward_hook(lambda module, _, output: outputs.__setitem__(module, output))
    loss = functional.cross_entropy(fresh(inputs), targets)
    gradients = torch.autograd.grad(loss, list(outputs.values()), allow_unused=True, materialize_grads=True)
    total = 0.0
    for (module, output), gradient in zip(outputs.items(), gradients, strict=True):
        effect = (output * gradient).flatten(2).sum(2) if output.dim() > 2 else output * gradient
        total += (module.weight[0].numel() * 0.5 * effect.square().mean(0).sum()).item()
    return total


def naswot(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """BayesWatch/nas-without-training, score_networks.py, hook_logdet: inputs of all ReLUs that a gradient reaches."""
    kernel = np.zeros((len(inputs), len(inputs)))
    for code in codes(model, inputs, reached=True):
        kernel += code @ code.T + (1.0 - code) @ (1.0 - code).T
    return float(np.linalg.slogdet(kernel)[1])


def codes(model: nn.Module, inputs: Tensor, *, reached: bool) -> list[Any]:
    """Samples x units, 1 where a ReLU lets its input through; of all of them, or of those that a gradient reaches."""
    fresh = copy.deepcopy(model).train()
    seen: list[Tensor] = []
    for module in fresh.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(lambda _, inputs, output: seen.append(output))
    logits = fresh(inputs.clone().requires_grad_())
    found = torch.autograd.grad(logits.sum(), [x for x in seen if x.requires_grad], allow_unused=True)
    arrives = iter(found)
    kept = [x for x in seen if not reached or (x.requires_grad and next(arrives) is not None)]
    return [(numbers(x).reshape(len(inputs), -1) > 0).astype(float) for x in kept]


def swap(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """pym1024/SWAP, src/metrics/swap.py: distinct columns of the signs of the maps that ReLUs return."""
    return len(np.unique(np.concatenate(codes(model, inputs, reached=False), axis=1).T, axis=0))


def linear_regions(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """VITA-Group/TENAS, procedures/linear_region_counter.py: distinct rows of the same, here for the noise."""
    return len(np.unique(np.concatenate(codes(model, noise(inputs), reached=False), axis=1), axis=0))


def zico(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """SLDGroup/ZiCo, compute_zico.py, caculate_zico: deviations of signed gradients, here of two halves of a batch."""
    fresh = copy.deepcopy(model).train()
    halves = list(zip(inputs.chunk(2), targets.chunk(2), strict=True))
    split = [of_weights(fresh, functional.cross_entropy(fresh(images), classes)) for images, classes in halves]
    total = 0.0
    for layer in zip(*split, strict=True):
        gradients = np.stack([numbers(gradient).ravel() for gradient in layer])
        deviations = gradients.std(0)
        ratio = (np.abs(gradients).mean(0)[deviations > 0] / deviations[deviations > 0]).sum()
        total += math.log(ratio) if ratio else 0.0
    return total


def gradsign(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """cmu-catalyst/GradSign, measures/grad_conflict.py, get_grad_conflict: one sample after the other."""
    fresh = copy.deepcopy(model).train()
    signs = [
        torch.cat([x.sign().flatten() for x in of_weights(fresh, functional.cross_entropy(fresh(image), label))])
        for image, label in zip(inputs.split(1), targets.split(1), strict=True)
    ]
    return torch.stack(signs).sum(0).abs().sum().item()


def ntk_condition(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """VITA-Group/TENAS, procedures/ntk.py, get_ntk_n: parameters called `weight`, those of normalisations too."""
    fresh = copy.deepcopy(model).train()
    weights = [value for name, value in fresh.named_parameters() if "weight" in name]
    rows = [
        torch.cat(
            [
                x.flatten()
                for x in torch.autograd.grad(
                    row.sum(), weights, retain_graph=True, allow_unused=True, materialize_grads=True
                )
            ]
        )
        for row in fresh(inputs)
    ]
    values = torch.linalg.eigvalsh(torch.stack(rows) @ torch.stack(rows).T)
    return -(values[-1] / values[0]).item()


def meco(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """HamsterMimi/MeCo, measures/meco.py, get_score: one image of noise, the output of every module."""
    fresh = copy.deepcopy(model).train()
    found: list[float] = []

    def record(module: nn.Module, arguments: tuple[Tensor], output: Tensor) -> None:
        rows = output[0].detach().reshape(len(output[0]), -1)
        if rows.shape[1] > 1:
            correlation = np.nan_to_num(np.atleast_2d(np.corrcoef(rows.numpy())), nan=0.0, posinf=0.0, neginf=0.0)
            found.append(np.linalg.eigvals(correlation).real.min())

    for module in fresh.modules():
        module.register_forward_hook(record)
    with np.errstate(invalid="ignore", divide="ignore"):
        fresh(noise(inputs)[:1])
    return float(np.nansum(found))


def zen(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """idstcv/ZenNAS, compute_zen_score.py, compute_nas_score, once: running variances of all normalisations."""
    fresh = redrawn(model, inputs).train()
    for module in fresh.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
    generator = torch.Generator().manual_seed(derive_seed("probe input", "mixed", 0))
    mixed = noise(inputs) + 0.01 * torch.randn(inputs.shape, generator=generator).to(inputs)
    difference = (pooled(fresh, noise(inputs)) - pooled(fresh, mixed)).abs().flatten(1).sum(1).mean()
    scales = [m.running_var.mean().sqrt().log() for m in fresh.modules() if isinstance(m, nn.BatchNorm2d)]
    return (difference.log() + sum(scales)).item()


def eznas_a(model: nn.Module, inputs: Tensor, targets: Tensor, *, absolute: bool = False) -> float:
    """IntelLabs/Hardware-Aware-Automated-Machine-Learning, EZNAS/evol_utilities.py, evaluate_scores, program `darts`.

    Args:
        model: a stem of a convolution and a normalisation, then triples as `create_layer_sequence` finds them.
        inputs: images.
        targets: not looked at.
        absolute: ln |det|, where theirs puts 0 for a negative determinant.
    """
    fresh = copy.deepcopy(model).train()
    arrived: dict[nn.Module, Tensor] = {}
    rectifiers = [relu for relu, following in triples(fresh) if isinstance(following, nn.Conv2d)]
    for relu in rectifiers:
        relu.register_full_backward_hook(lambda module, given, _: arrived.__setitem__(module, given[0]))
    fresh(inputs.clone().requires_grad_()).sum().backward()
    return float(np.mean([layer_score(arrived.get(relu), absolute) for relu in rectifiers]))


def triples(model: nn.Module) -> list[tuple[nn.Module, nn.Module]]:
    """ReLUs, each with the convolution that comes next among the modules; a convolution without normalisation is none.

    The stem has no ReLU, the last one no convolution, a shortcut's convolution no normalisation.
    """
    found = [m for m in model.modules() if isinstance(m, nn.ReLU | nn.Conv2d | nn.BatchNorm2d)]
    return [
        (first, second)
        for first, second, third in zip(found, found[1:], found[2:], strict=False)
        if isinstance(first, nn.ReLU) and isinstance(second, nn.Conv2d) and isinstance(third, nn.BatchNorm2d)
    ]


def layer_score(gradient: Tensor | None, absolute: bool) -> float:
    """|sigmoid(logdet(sign X))|_F of the maps; 0 for a triple that no gradient reaches."""
    if gradient is None:
        return 0.0
    sign, magnitude = torch.linalg.slogdet(gradient.sign())
    logdet = magnitude if absolute else torch.where(sign < 0, torch.zeros_like(magnitude), magnitude)
    return logdet.sigmoid().norm().item()
