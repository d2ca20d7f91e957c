"""Latency of a network on this machine."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.benchmark import Timer

from zcproxy.models.macs import evaluation_mode
from zcproxy.models.zeros import zero_inputs

LEAST_SECONDS, MOST_SECONDS = 0.05, 0.5
"""Least seconds that a network is timed, and most seconds where its times do not agree."""

LARGE_SPREAD = 0.1
"""Interquartile range as a share of the median from which a latency is not to be trusted."""


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


def measure_latency(
    network: nn.Module, input_shape: tuple[int, ...], *, batch_size: int = 1, device: str = "cpu", threads: int = 1
) -> Latency:
    """Return the latency of a forward pass in evaluation mode, by `torch.utils.benchmark.Timer`.

    Args:
        network: left on `device`, in the mode it was in.
        input_shape: shape of one sample.
        batch_size: samples of a pass.
        device: `cpu` or `cuda`.
        threads: threads of torch, for operations on the CPU.
    """
    network.to(device)
    inputs = zero_inputs(network, batch_size, input_shape).to(device)
    timer = Timer("network(inputs)", globals={"network": network, "inputs": inputs}, num_threads=threads)
    with torch.no_grad(), evaluation_mode(network):
        timer.timeit(1)  # warm-up
        found = timer.adaptive_autorange(LARGE_SPREAD, min_run_time=LEAST_SECONDS, max_run_time=MOST_SECONDS)
    return Latency(1e3 * found.median, 1e3 * found.iqr, found.number_per_run * len(found.times))
