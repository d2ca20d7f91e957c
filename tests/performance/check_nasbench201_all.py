"""Builds every NAS-Bench-201 network of every task and compares its size and cost with the published table.

Shapes come from a forward pass of an empty batch, so that nothing is computed. Takes about ten minutes per task:

    ZCPROXY_DATA=... python tests/performance/check_nasbench201_all.py [task ...]
"""

from __future__ import annotations

import sys
import time

import numpy as np
import torch
from torch import Tensor, nn

from zcproxy.contracts.task import Task
from zcproxy.names.tasks import get_task


def measure(network: nn.Module, input_shape: tuple[int, ...]) -> tuple[int, int]:
    """Return parameters and, for one sample, multiply-adds of convolutions and linear layers, a bias counting one."""
    macs = 0

    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal macs
        assert isinstance(module, nn.Conv2d | nn.Linear)
        macs += output.shape[1:].numel() * (module.weight[0].numel() + (module.bias is not None))

    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(count)
    network.eval()(torch.empty(0, *input_shape))
    return sum(parameter.numel() for parameter in network.parameters()), macs


def check(task: Task) -> bool:
    """Print how many networks of a task agree with the table, and return whether all do."""
    start = time.perf_counter()
    cells = task.architectures("all")
    parameters, macs = np.array([measure(task.build(cell), task.input_shape) for cell in cells]).T
    published = task.baselines(cells)
    same_parameters = int((published["params"] == parameters).sum())
    same_macs = int((published["flops"].astype(np.float32) == (macs / 1e6).astype(np.float32)).sum())
    print(
        f"{task.name}: {len(cells)} networks, parameters equal in {same_parameters}, multiply-adds in {same_macs}; "
        f"largest {parameters.max()} parameters, {macs.max()} multiply-adds; {time.perf_counter() - start:.0f} s",
        flush=True,
    )
    return same_parameters == same_macs == len(cells)


if __name__ == "__main__":
    torch.set_num_threads(1)
    outcomes = [
        check(get_task(name))
        for name in sys.argv[1:] or ("nasbench201/cifar10", "nasbench201/cifar100", "nasbench201/imagenet16-120")
    ]
    sys.exit(0 if all(outcomes) else 1)
