"""Time of a sweep over the standard library, divided by the bare passes of its probes on the same networks.

    python tests/performance/sweep_ratio.py [--networks 12] [--batch 8]

Both run in this process with one thread, network by network in turn, so that the ratio does not depend on the machine.
A bare pass is a forward and a backward pass in the same memory format, nothing recorded or copied. Times are of the
processor, so that they stand other work on the machine.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from zcproxy.columns.standard import standard_columns
from zcproxy.contracts.task import Batch
from zcproxy.evolve.configuration import DEFAULT_PROBES
from zcproxy.names.tasks import get_task
from zcproxy.probing.measure import measure
from zcproxy.probing.probes import PROBES, Pass, pass_inputs
from zcproxy.ranking.scoring import draw_networks


def bare_pass(network: nn.Module, run: Pass, inputs: Tensor, targets: Tensor) -> None:
    values = pass_inputs(run, inputs, seed=0).contiguous(memory_format=torch.channels_last)
    values = values.to(next(network.parameters()).dtype)
    output = network(values.requires_grad_())
    loss = output.sum() if run.loss == "sum_of_logits" else nn.functional.cross_entropy(output, targets)
    loss.backward()


def bare_passes(network: nn.Module, double: nn.Module, probes: Sequence[str], batch: Batch) -> None:
    done = set()
    for name in probes:
        probe = PROBES[name]
        for run in probe.passes:
            if run not in done or probe.sub_batches > 1:
                done.add(run)
                inputs, targets = (values.chunk(probe.sub_batches) for values in (batch.inputs, batch.targets))
                for part in zip(inputs, targets, strict=True):
                    bare_pass(double if run.double else network, run, *part)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=12)
    parser.add_argument("--batch", type=int, default=8)
    options = parser.parse_args()
    torch.set_num_threads(1)
    task = get_task("nasbench201/cifar10")
    batch = task.batch(options.batch)
    everything = ("noise", "data", "delta", "ones", "chunks")
    cases = {"the default probes": DEFAULT_PROBES, "all probes of the library": everything}
    for title, probes in cases.items():
        columns = standard_columns(probes)
        sweeping = bare = 0.0
        for architecture in draw_networks(task, options.networks):
            network = task.build(architecture)
            started = time.process_time()
            measure(network, batch.inputs, batch.targets, columns, disposable=True)
            sweeping += time.process_time() - started
            network = task.build(architecture).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            double = copy.deepcopy(network).double()
            started = time.process_time()
            bare_passes(network, double, probes, batch)
            bare += time.process_time() - started
        print(
            f"{title} ({', '.join(probes)}), {len(columns)} columns, {options.networks} networks: "
            f"sweep {sweeping:.1f} s, bare passes {bare:.1f} s, ratio {sweeping / bare:.2f}"
        )


if __name__ == "__main__":
    main()
