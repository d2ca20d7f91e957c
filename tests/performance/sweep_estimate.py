"""What a sweep of a task says of its whole time after a while, beside what it says when it has gone on for longer.

    python tests/performance/sweep_estimate.py [--task nasbench201/cifar10] [--batch 8] [--seconds 300]

The sweep is that of `zcproxy columns measure --workers 1`, in a store of its own, stopped after some seconds. They are
seconds of the processor, so that what else the machine does counts for neither.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from zcproxy.columns.context import Context
from zcproxy.columns.standard import standard_columns
from zcproxy.columns.store import ColumnStore
from zcproxy.columns.sweep import sweep_failures
from zcproxy.evolve.configuration import DEFAULT_PROBES
from zcproxy.names.tasks import get_task


class _Stopped(Exception):  # noqa: N818
    """The sweep has gone on for long enough."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default="nasbench201/cifar10")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=300.0)
    options = parser.parse_args()
    task, columns = get_task(options.task), standard_columns(DEFAULT_PROBES)
    networks = task.architectures("all")
    seen: list[tuple[float, int]] = []

    def note(done: int, total: int) -> None:
        if done:
            seen.append((time.process_time(), done))
        if seen and seen[-1][0] - seen[0][0] > options.seconds:
            raise _Stopped

    with TemporaryDirectory() as folder, suppress(_Stopped):
        sweep_failures(ColumnStore(Path(folder), Context(task, options.batch)), networks, columns, progress=note)
    last = hours_in_all(seen, len(networks), options.seconds)
    print(f"{task.name}, {len(networks):,} networks, {len(columns)} columns, batch {options.batch}, one core")
    for limit in (15, 30, 60, 120, 240, options.seconds):
        if limit <= options.seconds:
            done = sum(now - seen[0][0] <= limit for now, _ in seen)
            estimate = hours_in_all(seen, len(networks), limit)
            said = f"{seen[done - 1][1]:5,} networks, {estimate:.2f} h in all, {estimate / last - 1:+.1%}"
            print(f"after {limit:4.0f} s: {said}")


def hours_in_all(seen: Sequence[tuple[float, int]], total: int, limit: float) -> float:
    """Return what the command would say after some seconds: the rate counts from the first networks that are done."""
    start, first = seen[0]
    now, done = [each for each in seen if each[0] - start <= limit][-1]
    return (now - start) / (done - first) * total / 3600


if __name__ == "__main__":
    main()
