"""Distinct formulas per second on one core, on the columns of 400 networks and with the whole language.

    python tests/performance/formulas_per_second.py [--networks 400] [--seconds 20]

Networks are real cells of NAS-Bench-201. Their columns are measured once and kept in the store; only evolution is
timed: variation, canonical form, evaluation, Kendall's tau, survivor selection; the first epoch is not counted.
Seconds are those of the processor, so that other work on the machine does not count.
"""

from __future__ import annotations

import argparse
import time

import torch

from zcproxy.columns.context import Context
from zcproxy.columns.standard import standard_columns
from zcproxy.columns.sweep import sweep
from zcproxy.evolve.configuration import DEFAULT_PROBES
from zcproxy.evolve.deap.primitives import primitive_set
from zcproxy.evolve.fitness import FitnessFunction
from zcproxy.evolve.island import Epoch
from zcproxy.names.tasks import get_task
from zcproxy.random import generator
from zcproxy.ranking.scoring import draw_networks
from zcproxy.workers.pool import worker_pool

TASK = "nasbench201/cifar10"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=400)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    task = get_task(TASK)
    networks = draw_networks(task, options.networks)
    columns = standard_columns(DEFAULT_PROBES)
    with worker_pool(2) as executor:
        table = sweep(Context(task), networks, columns, executor=executor)
    scorer = FitnessFunction([table], [task.labels(networks)])
    primitives = primitive_set(columns)
    population, scored, spent, epoch = [], 0, 0.0, 0
    while spent < options.seconds:
        started = time.process_time()
        result = Epoch(scorer, primitives, generator("performance", epoch)).evolve(population, 200, 5)
        population = result.population
        if epoch > 0:
            scored += result.evaluations
            spent += time.process_time() - started
        epoch += 1
    print(f"{scored} distinct formulas in {spent:.1f} s: {scored / spent:.0f} per second of one core")
    print(f"({options.networks} networks, {table.counts.sum()} layers, {len(columns)} columns)")


if __name__ == "__main__":
    main()
