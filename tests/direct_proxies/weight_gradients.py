"""Gradients by the weights: of the loss, of each sample's, of sub-batches and of the class probabilities.

`foresight` is SamsungLabs/zero-cost-nas, foresight/pruners/measures (Abdelfattah et al.), which NASLib took over.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from direct_proxies.records import calls_of, gradient_of, gradients, noise, numbers, weighted
from zcproxy.probing.probes import PROBES


def grad_norm(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """foresight, grad_norm.py, get_grad_norm_arr: the sum over layers of the norms."""
    return sum(gradient.norm().item() for gradient in gradients(model, inputs, targets))


def plain(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """foresight, plain.py, compute_plain_per_weight: the sum over weights, with signs."""
    pairs = zip(weighted(model), gradients(model, inputs, targets), strict=True)
    return float(sum((layer.weight.detach() * gradient).sum() for layer, gradient in pairs))


def snip(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """foresight, snip.py, compute_snip_per_weight: the gradient by a mask of ones on each weight (Lee et al.)."""
    fresh = copy.deepcopy(model).train()
    masks = []
    for module in weighted(fresh):
        mask = torch.ones_like(module.weight).requires_grad_()
        weight = module.weight.detach()
        del module.weight
        module.weight = weight * mask
        masks.append(mask)
    loss = functional.cross_entropy(fresh(inputs), targets)
    found = torch.autograd.grad(loss, masks, allow_unused=True, materialize_grads=True)
    return sum(gradient.abs().sum().item() for gradient in found)


def grasp(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """foresight, grasp.py, compute_grasp_per_weight: -weight . H g, from g . v for a v that is held at g.

    alecwangcq/GraSP, pruner/GraSP.py divides the logits by a temperature of 200 and prunes by the single terms.
    """
    fresh = copy.deepcopy(model).train()
    weights = [module.weight for module in weighted(fresh)]
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        loss = functional.cross_entropy(fresh(inputs), targets)
        first = torch.autograd.grad(loss, weights, create_graph=True, allow_unused=True, materialize_grads=True)
        product = sum((gradient * gradient.detach()).sum() for gradient in first)
        second = torch.autograd.grad(product, weights, allow_unused=True, materialize_grads=True)
    return -sum((weight.detach() * found).sum().item() for weight, found in zip(weights, second, strict=True))


def fisher(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """foresight, fisher.py, compute_fisher_per_weight, without its factor of 1 / 2N (Theis et al.).

    (Sum over positions of activation times gradient)^2, over samples, channels and layers; a channel counts once for
    each of its weights.
    """
    logits, calls = calls_of(model, inputs)
    functional.cross_entropy(logits, targets).backward()
    products = [numbers(call.output) * numbers(call.output.grad) for call in calls]
    effects = [(value.reshape(*value.shape[:2], -1).sum(2) ** 2).sum() for value in products]
    return float(sum(call.weight[0].numel() * effect for call, effect in zip(calls, effects, strict=True)))


def magnitudes(model: nn.Module, inputs: Tensor, targets: Tensor) -> list[Any]:
    """Sub-batches x weight: magnitudes of the gradients of each layer, over the sub-batches of the probe."""
    parts = PROBES["chunks"].sub_batches
    split = [gradients(model, *pair) for pair in zip(inputs.chunk(parts), targets.chunk(parts), strict=True)]
    return [
        np.stack([gradient.abs().numpy() for gradient in layer]).astype(np.float64)
        for layer in zip(*split, strict=True)
    ]


def zico(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Li et al., equation 4, over the sub-batches of the probe and, as in their code, the weights that vary.

    SLDGroup/ZiCo, compute_zico.py has deviations of signed gradients: see `authors.zico`.
    """
    total = 0.0
    for layer in magnitudes(model, inputs, targets):
        deviations = layer.std(0)
        varied = deviations > 0.0
        if varied.any():
            total += math.log((layer.mean(0)[varied] / deviations[varied]).sum())
    return total


def linear_network(model: nn.Module, inputs: Tensor) -> list[nn.Module]:
    """Weighted layers of the network of absolute weights without normalisation, after its backward pass."""
    linear = copy.deepcopy(model)
    for module in linear.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d | nn.LayerNorm):
                setattr(module, name, nn.Identity())
    return weighted(positive_network(linear, inputs))


def positive_network(model: nn.Module, inputs: Tensor) -> nn.Module:
    """The network of absolute weights in evaluation mode, after its backward pass on ones."""
    positive = copy.deepcopy(model).double().eval()
    with torch.no_grad():
        for parameter in positive.parameters():
            parameter.abs_()
    positive(torch.ones_like(inputs[:1]).double()).sum().backward()
    return positive


def synflow(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """foresight, synflow.py, compute_synflow_per_weight, no normalisation: weight times gradient (Tanaka et al.)."""
    return sum((layer.weight * gradient_of(layer)).abs().sum().item() for layer in linear_network(model, inputs))


def log_synflow(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """NiccoloCavagnero/FreeREA, metrics/synflow.py, compute_synflow_per_weight: weight times ln(gradient + 1)."""
    layers = [(layer.weight.detach().numpy(), gradient_of(layer).numpy()) for layer in linear_network(model, inputs)]
    return float(sum((weight * np.log(gradient + 1.0)).sum() for weight, gradient in layers))


def per_sample(model: nn.Module, losses: Callable[[Tensor], Tensor], inputs: Tensor) -> Any:
    """Gradients of the loss of each sample by all weights: samples x weights."""
    fresh = copy.deepcopy(model).train()
    weights = [module.weight for module in weighted(fresh)]
    rows = [
        torch.autograd.grad(loss, weights, retain_graph=True, allow_unused=True, materialize_grads=True)
        for loss in losses(fresh(inputs))
    ]
    return np.stack([np.concatenate([numbers(gradient).ravel() for gradient in row]) for row in rows])


def gradsign(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Zhang and Jia: sum over weights of |sum over samples of the sign of the gradient|.

    Their code normalises each sample by itself: see `authors.gradsign`.
    """
    rows = per_sample(model, lambda logits: functional.cross_entropy(logits, targets, reduction="none"), inputs)
    return float(np.abs((rows > 0).sum(0) - (rows < 0).sum(0)).sum())


def ntk_condition(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Chen et al.: eigenvalues of J J^T are squared singular values of J.

    Their code adds the weights of normalisations: see `authors.ntk_condition`.
    """
    values = np.linalg.svd(per_sample(model, lambda logits: logits.sum(1), inputs), compute_uv=False)
    return -float((values[0] / values[-1]) ** 2)


def first_elements_jacobian(model: nn.Module, sample: Tensor) -> Tensor:
    """Jacobian of a sample's logits by the first element of every parameter: classes x parameters."""
    whole = dict(model.named_parameters())

    def logits(firsts: dict[str, Tensor]) -> Tensor:
        changed = {
            name: torch.cat([firsts[name], value.detach().flatten()[1:]]).view(value.shape)
            for name, value in whole.items()
        }
        return torch.func.functional_call(model, changed, (sample[None],))[0]

    found = torch.func.jacrev(logits)({name: value.detach().flatten()[:1] for name, value in whole.items()})
    return torch.cat([found[name] for name in whole], dim=1)


def vkdnw_entropy(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """The code of Tybl and Neumann: evaluation mode, all parameters, a twentieth of even probabilities.

    The Fisher information is the mean over samples of J^T (diag p - p p^T) J, the score the entropy of the deciles of
    its singular values, without the code's 1e-10 in the logarithm.
    """
    fresh = copy.deepcopy(model).eval()
    shown = noise(inputs)
    information = 0.0
    for sample, row in zip(shown, fresh(shown), strict=True):
        jacobian = numbers(first_elements_jacobian(fresh, sample))
        p = 0.95 * numbers(row.softmax(0)) + 0.05 / len(row)
        information += jacobian.T @ (np.diag(p) - np.outer(p, p)) @ jacobian / len(shown)
    deciles = np.quantile(np.linalg.svd(information, compute_uv=False), np.arange(1, 10) / 10)
    share = deciles / deciles.sum()
    return float(-sum(q * math.log(q) for q in share if q > 0))


def vkdnw_single(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """The number of parameter tensors, and the entropy within it."""
    return len(list(model.parameters())) + vkdnw_entropy(model, inputs, targets)
