"""AZ-NAS on NAS-Bench-201 with the blocks that networks name, with those where all paths meet, and without zcproxy.

    python results/tables/block_ends.py [--random 300] [--others 60] [--out FOLDER]

Cells: random ones, ones whose inner nodes part them into several blocks with a convolution (chains), and live ones
without convolution. CIFAR-10, torch's own initialisation, 16 images of Gaussian noise; the direct computation sees the
same weights, but noise and signs of its own. Writes `block_ends.csv`: tau of each part and of the sum of log ranks, and
Spearman's rho with the direct computation.
"""

from __future__ import annotations

import argparse
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from blocks import PARTS, expressivity, trainability
from scipy.stats import spearmanr

from zcproxy.benchmarks.nasbench201 import NASBench201Network
from zcproxy.benchmarks.nasbench201.encoding import to_operations
from zcproxy.benchmarks.shared.four_node_cells import EDGES
from zcproxy.columns.table import table_of
from zcproxy.correlation import kendall_tau
from zcproxy.correlation.ranks import rank_scores
from zcproxy.formula.evaluate import Evaluator
from zcproxy.models.untrained import untrained
from zcproxy.names.proxies import resolve_proxy
from zcproxy.names.tasks import get_task
from zcproxy.primitives.rankings import log_ranks
from zcproxy.probing.measure import measure
from zcproxy.random import derive_seed, generator
from zcproxy.ranking.scoring import draw_networks

TASK = "nasbench201/cifar10"
FORMULAS = [resolve_proxy(f"az_{part}").formula for part in PARTS]
WAYS = ("named", "all paths", "direct")


def paths_of(cell: str) -> list[list[int]]:
    """Return the paths from the first node of a cell to its last, as lists of edges."""
    operations = to_operations(cell)
    paths: dict[int, list[list[int]]] = {0: [[]], 1: [], 2: [], 3: []}
    for edge, (source, target) in enumerate(EDGES):
        if operations[edge] != "none":
            paths[target] += [[*path, edge] for path in paths[source]]
    return paths[3]


def is_without_convolution(cell: str) -> bool:
    """Whether a cell is live and has no convolution on a path."""
    operations, paths = to_operations(cell), paths_of(cell)
    return bool(paths) and not any("conv" in operations[edge] for path in paths for edge in path)


def is_chain(cell: str) -> bool:
    """Whether all paths of a cell meet between two convolutions."""
    operations, paths = to_operations(cell), paths_of(cell)
    inner = [node for node in (1, 2) if paths and all(node in {EDGES[edge][1] for edge in path} for path in paths)]
    borders = [0, *inner, 3]
    convolved = [
        any("conv" in operations[edge] for path in paths for edge in path if start <= EDGES[edge][0] < end)
        for start, end in pairwise(borders)
    ]
    return sum(convolved) > 1


def parts_by_zcproxy(network: NASBench201Network, blank: torch.Tensor) -> list[float]:
    """Return the three parts of a network."""
    columns = list(dict.fromkeys(column for formula in FORMULAS for column in formula.columns()))
    table = table_of([measure(network, blank, None, columns)], columns)
    evaluator = Evaluator(table.counts, table.values, table.blocks, table.connections)
    return [float(evaluator(formula)[0]) for formula in FORMULAS]


def parts_directly(network: NASBench201Network, blank: torch.Tensor, architecture: str) -> list[float]:
    """Return the same as the authors' code computes it: at the stem too, minus infinity for cells that do nothing."""
    torch.manual_seed(derive_seed("blocks", architecture))
    features = [network.train().stem(torch.randn_like(blank))]
    for cell in network.body:
        features.append(cell(features[-1]))
    scores = np.array([expressivity(feature) for feature in features])
    slopes = [-np.inf if after is before else trainability(before, after) for before, after in pairwise(features)]
    return [scores.sum(), np.diff(scores).min(), np.mean(slopes)]


def scores_of(cell: str) -> list[float]:
    """Return the three parts of a cell's network in each of the three ways."""
    task, blank = get_task(TASK), torch.zeros(16, 3, 32, 32)
    network = untrained(task.build, task.space.name, cell, 0)
    found = parts_by_zcproxy(network, blank)
    ends = network.block_ends
    network.block_ends = ()  # type: ignore[assignment]  # torch types attributes of a module
    found += parts_by_zcproxy(network, blank)
    network.block_ends = ends
    return found + parts_directly(network, blank, cell)


def rows_of(population: str, cells: list[str], scores: np.ndarray) -> list[dict[str, object]]:
    """Return a row for each way and part."""
    task = get_task(TASK)
    labels, flops = task.labels(cells), task.baselines(cells)["flops"]
    ways = dict(zip(WAYS, np.split(scores, len(WAYS), axis=1), strict=True))
    rows = []
    for way, values in ways.items():
        parts = dict(zip(PARTS, values.T, strict=True))
        parts["az_nas"] = log_ranks(*parts.values(), flops)
        for name, each in parts.items():
            tau = kendall_tau(np.where(np.isnan(each), -np.inf, each), labels)
            rows.append({"cells": population, "networks": len(cells), "blocks": way, "part": name, "tau": tau})
            if name in PARTS:
                direct = ways["direct"][:, PARTS.index(name)]
                both = np.stack([rank_scores(each), rank_scores(direct)])
                rows[-1]["rho"] = spearmanr(*both).statistic
    return rows


def main() -> None:
    """Measure the cells of each population."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--random", type=int, default=300)
    parser.add_argument("--others", type=int, default=60)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    options = parser.parse_args()
    torch.set_num_threads(1)
    task = get_task(TASK)
    every = sorted(task.architectures("all"))
    generator("blocks", "order").shuffle(every)
    chains, bare = ([cell for cell in every if belongs(cell)] for belongs in (is_chain, is_without_convolution))
    print(f"{len(chains)} chains, {len(bare)} live cells without convolution among {len(every)}")
    populations = {
        "without convolution": bare[: options.others],
        "chain": chains[: options.others],
        "random": list(draw_networks(task, options.random)),
    }
    rows = []
    for name, cells in populations.items():
        started = time.perf_counter()
        rows += rows_of(name, cells, np.array([scores_of(cell) for cell in cells]))
        print(f"{name}: {time.perf_counter() - started:.0f} s", flush=True)
        table = pd.DataFrame(rows)
        table.to_csv(options.out / "block_ends.csv", index=False, float_format="%.3f")
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
