"""Time of a sweep with one worker, divided by its time with two: processes of this machine, and workers of Dask.

    python tests/performance/cluster_ratio.py [--networks 96] [--rounds 3]

Each round measures the same networks four times, each time into a store of its own: `--workers 1` and `2`, `--cluster
local:1` and `local:2`. Workers are started, and have imported what they need, before the clock runs. The best time of
each counts, beside the load of the machine: two workers are as quick as the cores that others leave them.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from pathlib import Path

from zcproxy.columns.context import Context
from zcproxy.columns.standard import standard_columns
from zcproxy.columns.sweep import sweep
from zcproxy.names.tasks import get_task
from zcproxy.ranking.scoring import draw_networks
from zcproxy.workers.cluster import cluster
from zcproxy.workers.jobs import in_order
from zcproxy.workers.pool import worker_pool

TASK = "digits201"


PLACES: dict[str, Callable[[], AbstractContextManager[Executor | None]]] = {
    "--workers 1": lambda: worker_pool(1),
    "--workers 2": lambda: worker_pool(2),
    "--cluster local:1": lambda: cluster("local:1"),
    "--cluster local:2": lambda: cluster("local:2"),
}


def ready() -> float:
    """Import what a job needs; long enough for each worker to get one."""
    standard_columns()
    time.sleep(1.0)
    return time.process_time()


def seconds(executor: Executor | None, networks: list[str]) -> float:
    columns = standard_columns()
    list(in_order(executor, ready, [()] * 2))
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        sweep(Context(get_task(TASK)), networks, columns, executor=executor, cache=Path(folder))
        return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    networks = list(draw_networks(get_task(TASK), options.networks))
    best = dict.fromkeys(PLACES, float("inf"))
    for number in range(options.rounds):
        for name, place in PLACES.items():
            with place() as executor:
                spent = seconds(executor, networks)
            best[name] = min(best[name], spent)
            load = os.getloadavg()[0]
            print(
                f"round {number + 1}: {name:<18} {spent:6.1f} s, load {load:.1f} on {os.cpu_count()} cores", flush=True
            )
    for kind in ("workers ", "cluster local:"):
        one, two = (best[f"--{kind}{count}"] for count in (1, 2))
        print(f"--{kind}1 takes {one / two:.2f} times as long as --{kind}2 ({len(networks)} networks of {TASK})")


if __name__ == "__main__":
    main()
