"""Time of the seven measures of zero-cost-nas together, divided by one bare forward and backward pass of the batch.

    python tests/performance/measures_ratio.py [--networks 8] [--batch 64]

Beside it: the same without GraSP, both in float32 too, and the measures computed one after another, each by itself, as
the authors' package does: directly from the papers, and by that package (`foresight`) where it can be imported. All run
in this process with one thread, network by network in turn; times are of the processor, so that they stand other work.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[1]))

from direct_proxies import samples, weight_gradients
from zcproxy.names.proxies import Settings, resolve_proxy
from zcproxy.names.tasks import get_task
from zcproxy.probing.measure import measure
from zcproxy.ranking.scoring import draw_networks

MEASURES = ("grad_norm", "snip", "grasp", "fisher", "jacov", "plain", "synflow")
WITHOUT_GRASP = tuple(name for name in MEASURES if name != "grasp")
TASK = "nasbench201/cifar10"


def bare_pass(network: nn.Module, inputs: Tensor, targets: Tensor) -> None:
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's types lack it
    values = inputs.contiguous(memory_format=torch.channels_last)
    nn.functional.cross_entropy(network(values), targets).backward()


def together(names: tuple[str, ...], settings: str) -> Callable[[nn.Module, Tensor, Tensor], object]:
    proxies = [resolve_proxy(name, settings) for name in names]
    columns = list(dict.fromkeys(column for proxy in proxies for column in proxy.formula.columns()))
    return lambda network, inputs, targets: measure(network, inputs, targets, columns, disposable=True)


def one_by_one(network: nn.Module, inputs: Tensor, targets: Tensor) -> None:
    for name in MEASURES:
        direct = getattr(weight_gradients, name, None) or getattr(samples, name)
        direct(network, inputs, targets)


def by_authors() -> Callable[[nn.Module, Tensor, Tensor], object] | None:
    try:
        from foresight.pruners import predictive
    except ImportError:
        return None

    def run(network: nn.Module, inputs: Tensor, targets: Tensor) -> object:
        names = ["jacob_cov" if name == "jacov" else name for name in MEASURES]
        classes = len(network(inputs[:2])[0])
        loader, device = [(inputs, targets)], torch.device("cpu")
        return predictive.find_measures(network, loader, ("random", 1, classes), device, measure_names=names)

    return run


def without_zeroed_edges(cells: list[str]) -> list[str]:
    """Return the cells without dead layers: what does not look for them needs a gradient in each."""
    return [cell for cell in cells if "none" not in cell]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=8)
    parser.add_argument("--batch", type=int, default=64)
    options = parser.parse_args()
    torch.set_num_threads(1)
    task = get_task(TASK)
    batch = task.batch(options.batch)
    authors = by_authors()
    ways = {
        "a bare pass": bare_pass,
        "the seven measures together": together(MEASURES, Settings.COMMON),
        "without GraSP": together(WITHOUT_GRASP, Settings.COMMON),
        "the seven, --settings fast": together(MEASURES, Settings.FAST),
        "without GraSP, fast": together(WITHOUT_GRASP, Settings.FAST),
        "one after another, directly": one_by_one,
    } | ({} if authors is None else {"the authors' package": authors})
    spent = dict.fromkeys(ways, 0.0)
    for architecture in without_zeroed_edges(draw_networks(task, 10 * options.networks))[: options.networks]:
        for name, way in ways.items():
            network = task.build(architecture)
            started = time.process_time()
            way(network, batch.inputs, batch.targets)
            spent[name] += time.process_time() - started
    bare = spent["a bare pass"]
    for name, seconds in spent.items():
        print(f"{name:<30} {seconds / options.networks:6.3f} s per network, {seconds / bare:5.2f} x a bare pass")


if __name__ == "__main__":
    main()
