"""Time to measure the standard columns of all networks of a task, in a store of its own; resumes where it was killed.

    python tests/performance/sweep_task.py nds/darts-imagenet runs/sweep-store

Put `python tests/performance/peak_memory.py` before it for the memory.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from zcproxy.columns.context import Context
from zcproxy.columns.standard import standard_columns
from zcproxy.columns.sweep import sweep
from zcproxy.names.tasks import get_task
from zcproxy.workers.pool import worker_pool

WORKERS, BATCH = 2, 8


def main() -> None:
    name, cache = sys.argv[1], Path(sys.argv[2])
    networks, columns = get_task(name).architectures("all"), standard_columns()
    started = time.perf_counter()
    with worker_pool(WORKERS) as executor:
        table = sweep(
            Context(get_task(name), BATCH),
            networks,
            columns,
            executor=executor,
            cache=cache,
            progress=lambda done, total: print(f"\r{done} of {total} networks", end="", flush=True),
        )
    minutes = (time.perf_counter() - started) / 60
    print(f"\n{name}: {len(networks)} networks, {len(columns)} columns: {minutes:.1f} min with {WORKERS} workers")
    print(f"one network: {table.seconds.mean():.1f} s on average, {table.seconds.max():.1f} s at most")


if __name__ == "__main__":
    main()
