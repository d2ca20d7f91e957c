"""Latency of a network on this machine."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

LEAST_SECONDS = 0.05
"""How long a network is warmed up, and then timed, at least."""

LEAST_RUNS = 10


@dataclass(frozen=True)
class Latency:
    """Wall-clock time of a forward pass in milliseconds.

    Attributes:
        median: over the runs.
        spread: their interquartile range.
        runs: how many there were, after the warm-up.
    """

    median: float
    spread: float
    runs: int


@torch.no_grad()
def measure_latency(
    network: nn.Module, input_shape: tuple[int, ...], *, batch_size: int = 1, device: str = "cpu"
) -> Latency:
    """Return the latency of a forward pass in evaluation mode, on as many threads as torch is set to.

    Args:
        network: left on `device`, in the mode it was in.
        input_shape: of one sample.
        batch_size: samples of a pass.
        device: `cpu` or `cuda`.
    """
    training = network.training
    network.to(device).eval()
    inputs = torch.zeros(batch_size, *input_shape, device=device)
    try:
        _timed(network, inputs)  # warm-up
        times = 1e3 * np.array(_timed(network, inputs))
    finally:
        network.train(training)
    low, median, high = np.percentile(times, (25, 50, 75))
    return Latency(float(median), float(high - low), len(times))


def _timed(network: nn.Module, inputs: torch.Tensor) -> list[float]:
    """Return the seconds of runs, as many as `LEAST_SECONDS` hold and at least `LEAST_RUNS`."""
    times: list[float] = []
    while len(times) < LEAST_RUNS or sum(times) < LEAST_SECONDS:
        started = time.perf_counter()
        network(inputs)
        if inputs.is_cuda:
            torch.cuda.synchronize(inputs.device)
        times.append(time.perf_counter() - started)
    return times
