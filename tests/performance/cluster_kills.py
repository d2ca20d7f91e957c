"""Kills workers of a Dask cluster at random while a sweep and an evolution run, and compares what they give.

    python tests/performance/cluster_kills.py [--kills 10] [--seed 0] [--only evolved]

The sweep and the evolution are repeated from nothing until so many workers were killed in each; every time, columns and
files have to be the same bytes as those of an undisturbed run in this process, but for what a clock wrote. Where a job
was on four workers that died, it is given up, and the work is asked for again, as its message says. Exits with 1 where
anything differs.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dask
import numpy as np
from distributed import Client, LocalCluster

from zcproxy.columns.context import Context
from zcproxy.columns.standard import standard_columns
from zcproxy.columns.sweep import sweep
from zcproxy.errors import RunError
from zcproxy.evolve import Configuration, Limits, evolve
from zcproxy.names.tasks import get_task
from zcproxy.ranking.scoring import draw_networks
from zcproxy.workers.cluster import KEEPS_LOST_WORKERS

TASK = "digits201"
EVOLUTION = Configuration(
    (TASK,), networks=32, test_networks=16, probes=("noise", "data"), islands=2, island_size=40, new_columns=2
)
LIMITS = Limits(generations=150)
OF_CLOCK = re.compile(rb'"(seconds|sum)": ("[0-9a-f]+"|[0-9.]+)')
"""What a clock wrote into a file, and the checksum of that."""
WORKERS = 2
LEAST, MOST = 0.5, 4.0
"""Seconds between two deaths, at least, once all workers are there."""

Files = dict[str, bytes]


class Killer:
    """Kills one worker after another, each some time after the one before.

    Args:
        client: of the cluster.
        seed: of whom to kill, and when.
    """

    def __init__(self, client: Client, seed: int) -> None:
        self._client, self._random = client, random.Random(seed)

    @contextmanager
    def at_work(self, most: int) -> Iterator[list[int]]:
        """Kill while the block runs, `most` workers at most; yield the processes killed so far."""
        over, killed = threading.Event(), []  # type: ignore[var-annotated]

        def work() -> None:
            while len(killed) < most and not over.wait(self._random.uniform(LEAST, MOST)):
                known = self._client.run(os.getpid, on_error="ignore")
                living = sorted(pid for pid in known.values() if isinstance(pid, int) and pid not in killed)
                if len(living) == WORKERS and not over.is_set():  # the one before is replaced
                    killed.append(self._random.choice(living))
                    os.kill(killed[-1], signal.SIGKILL)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield killed
        finally:
            over.set()
            thread.join()


def measured(executor: Executor | None, folder: Path) -> Files:
    """Return the columns of some networks, as bytes."""
    networks = draw_networks(get_task(TASK), 80)
    table = sweep(Context(get_task(TASK)), networks, standard_columns(), executor=executor, cache=folder / "cache")
    return {str(column): np.ascontiguousarray(values).tobytes() for column, values in table.values.items()}


def evolved(executor: Executor | None, folder: Path) -> Files:
    """Return the files of a run."""
    evolve(EVOLUTION, LIMITS, folder / "run", executor=executor, cache=folder / "cache")
    found = sorted(path for path in (folder / "run").rglob("*") if path.suffix in (".json", ".jsonl", ".csv"))
    return {path.name: OF_CLOCK.sub(b"", path.read_bytes()) for path in found}


def disturbed(work: Callable[[Executor | None, Path], Files], client: Client, killer: Killer, kills: int) -> bool:
    """Repeat a work until so many workers are dead; return whether it always gave what it gives undisturbed."""
    with tempfile.TemporaryDirectory() as folder:
        expected = work(None, Path(folder))
    deaths = rounds = wrong = 0
    while deaths < kills:
        rounds += 1
        with tempfile.TemporaryDirectory() as folder, killer.at_work(kills - deaths) as killed:
            found, again = _insisting(work, client.get_executor(pure=False), Path(folder))
        deaths += len(killed)
        wrong += found != expected
        told = f"{len(killed)} workers killed, asked again {again} times, {_compared(found, expected)}"
        print(f"{work.__name__}, run {rounds}: {told}", flush=True)
    return wrong == 0


def _insisting(work: Callable[[Executor | None, Path], Files], executor: Executor, folder: Path) -> tuple[Files, int]:
    """Return what a work gives, asked for again where a job is given up, and how often it was asked again."""
    again = 0
    while True:
        try:
            return work(executor, folder), again
        except RunError:
            again += 1


def _compared(found: Files, expected: Files) -> str:
    differing = [name for name in {**found, **expected} if found.get(name) != expected.get(name)]
    return f"{', '.join(differing)} differ" if differing else f"all {len(expected)} the same bytes"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=("measured", "evolved"))
    options = parser.parse_args()
    works = [work for work in (measured, evolved) if options.only in (None, work.__name__)]
    cluster: Any = LocalCluster(
        n_workers=WORKERS, threads_per_worker=1, dashboard_address=":0", silence_logs="CRITICAL"
    )
    with dask.config.set(KEEPS_LOST_WORKERS), cluster, Client(cluster, set_as_default=False) as client:
        killer = Killer(client, options.seed)
        passed = [disturbed(work, client, killer, options.kills) for work in works]
    sys.exit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
