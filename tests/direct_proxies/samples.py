"""How samples differ: patterns of signs, and gradients by the images."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from direct_proxies.records import calls_of, noise, numbers


def naswot(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Mellor et al.: K = c c^T + (1 - c)(1 - c)^T over the units in front of each weight layer.

    Their code takes the inputs of ReLUs: see `authors.naswot`.
    """
    kernel = np.zeros((len(inputs), len(inputs)))
    for call in calls_of(model, inputs)[1]:
        code = (numbers(call.units).reshape(len(inputs), -1) > 0).astype(float)
        kernel += code @ code.T + (1.0 - code) @ (1.0 - code).T
    sign, magnitude = np.linalg.slogdet(kernel)
    return float(magnitude) if sign > 0 else math.nan


def swap(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Peng et al.: how many different patterns over the samples the units have.

    Their code takes the outputs of ReLUs: see `authors.swap`.
    """
    units = [numbers(call.units).reshape(len(inputs), -1) > 0 for call in calls_of(model, inputs)[1]]
    return len({column.tobytes() for column in np.concatenate(units, axis=1).T})


def swap_regularised(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """pym1024/SWAP, swap.py, cal_regular_factor: times exp(-(parameters - centre)^2 / width), in thousands."""
    thousands = sum(parameter.numel() for parameter in model.parameters()) / 1000
    return swap(model, inputs, targets) * math.exp(-((thousands - 25) ** 2) / 25)


def linear_regions(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Chen et al.: how many different patterns of all units the samples have.

    Their code takes the outputs of ReLUs: see `authors.linear_regions`.
    """
    calls = calls_of(model, noise(inputs))[1]
    patterns = [b"".join((numbers(call.activation)[i] > 0).tobytes() for call in calls) for i in range(len(inputs))]
    return len(set(patterns))


def input_gradients(model: nn.Module, inputs: Tensor) -> Any:
    """Gradients of the sum of the logits by the images: samples x pixels."""
    logits, calls = calls_of(model, inputs)
    (gradient,) = torch.autograd.grad(logits.sum(), [calls[0].source])
    return gradient.flatten(1).numpy()


def epe_nas(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """VascoLopes/EPE-NAS, search.py, eval_score_perclass, up to 100 classes.

    For each class, |sum of ln(|correlation| + k)| between its samples; a sample alone correlates with itself.
    """
    rows = input_gradients(model, inputs)
    classes = [np.atleast_2d(np.corrcoef(rows[targets.numpy() == label])) for label in set(targets.tolist())]
    return float(sum(abs(np.log(np.abs(matrix) + 1e-5).sum()) for matrix in classes))


def jacov(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """foresight, jacob_cov.py, eval_score: -sum of ln(v + k) + 1 / (v + k) over eigenvalues of the correlation matrix.

    It is the score of version 1 of Mellor et al. and of its code.
    """
    values = np.linalg.eigvals(np.corrcoef(input_gradients(model, inputs))).real + 1e-5
    return float(-np.sum(np.log(values) + 1.0 / values))
