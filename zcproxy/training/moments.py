"""Moments of batch normalisations, which a network that inherits its weights measures anew."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

CALIBRATION_SAMPLES = 1200
"""Training samples that they are measured on."""


def measure_moments(network: nn.Module, inputs: Tensor) -> None:
    """Set the moments of all batch normalisations to those of the first 1,200 samples, one batch.

    Nothing else changes: without batch normalisation no pass is made.

    Args:
        network: on the CPU; it is left in training mode.
        inputs: training samples.
    """
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all batches: here of the one
    network.train()
    if norms:
        with torch.no_grad():
            network(inputs[:CALIBRATION_SAMPLES])
