"""Errors of scores of published proxies relative to an all-float64 computation, on the same cells and weights.

    python tests/performance/precision.py [--networks 30]

One process, one thread; needs the images of `nasbench201/cifar10`.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch

from zcproxy.models.untrained import untrained
from zcproxy.names.proxies import resolve_proxy
from zcproxy.names.tasks import get_task
from zcproxy.primitives.zoo import NAMES
from zcproxy.probing.measure import measure
from zcproxy.ranking.scoring import draw_networks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=30)
    options = parser.parse_args()
    torch.set_num_threads(1)
    task = get_task("nasbench201/cifar10")
    proxies = {name: resolve_proxy(name) for name in NAMES}
    errors: dict[str, list[float]] = {name: [] for name in NAMES}
    for architecture in draw_networks(task, options.networks):
        for size in {proxy.batch_size for proxy in proxies.values()}:
            batch = task.batch(size)
            chosen = {name: proxy for name, proxy in proxies.items() if proxy.batch_size == size}
            columns = list({column: None for proxy in chosen.values() for column in proxy.formula.columns()})
            network = untrained(task.build, task.space.name, architecture, 0)
            found = measure(network, batch.inputs, batch.targets, columns)
            exact = measure(network.double(), batch.inputs.double(), batch.targets, columns, disposable=True)
            for name, proxy in chosen.items():
                score, expected = proxy.score(found), proxy.score(exact)
                errors[name].append(0.0 if score == expected else abs(score - expected) / abs(expected))
    for name, values in errors.items():
        print(f"{name}: relative error {np.nanmax(values):.1e} at most, {np.nanmedian(values):.1e} in the middle")


if __name__ == "__main__":
    main()
