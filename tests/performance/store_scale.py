"""Time and memory of the column store at 1,000, 10,000 and 100,000 networks of 100 columns, made up.

    python tests/performance/store_scale.py [--networks 1000 10000 100000] [--folder runs/store-scale]

Each step is a process of its own, so that its peak of resident memory is its own: a sweep that stores the networks as
it measures them (the columns are drawn, not measured), the same sweep resumed when a tenth of the networks is new, the
sweep asked again when nothing is missing, readings of 100 networks, of 5 columns and of everything, and
`zcproxy columns info`. The process itself (torch, pyarrow) is the step `nothing`. The folder is deleted at the end.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from zcproxy.columns import sweep as runner
from zcproxy.columns.context import Context
from zcproxy.columns.housekeeping import summaries
from zcproxy.columns.standard import standard_columns
from zcproxy.columns.store import ColumnStore
from zcproxy.columns.sweep import sweep_failures, sweep_into
from zcproxy.contracts.task import Batch
from zcproxy.errors import ModelError
from zcproxy.formula import Kind, Node, is_per_block
from zcproxy.names.tasks import get_task
from zcproxy.probing.measure import Measurement

LAYERS, BLOCKS, COLUMNS, FEW, SOME_COLUMNS = 23, 18, 100, 100, 5
"""Layers and blocks per network, as cells of NAS-Bench-201 have; columns; networks and columns of a small reading."""
STEPS = ("nothing", "sweep", "resume", "nothing missing", "few networks", "few columns", "everything", "info")
SIZES = (1_000, 10_000, 100_000)


@cache
def made_up(columns: tuple[Node, ...]) -> list[tuple[Node, int]]:
    return [
        (column, 1 if column.kind is Kind.NETWORK else BLOCKS if is_per_block(column) else LAYERS) for column in columns
    ]


def stand_in(
    context: Context,
    architectures: Sequence[str],
    texts: Sequence[str],
    shown: Batch | None = None,
    tolerated: type[ModelError] = ModelError,
) -> list[Measurement | str]:
    """Draw columns in the place of measuring them."""
    found: list[Measurement | str] = []
    for name in architectures:
        rng = np.random.default_rng(int(name.rpartition("-")[2]))
        values = {column: rng.random(size, np.float32) for column, size in made_up(columns())}
        edges = tuple((place - 1, place) for place in range(LAYERS))
        found.append(Measurement(LAYERS, values, blocks=tuple(range(BLOCKS)), stages=(0,) * LAYERS, edges=edges))
    return found


@cache
def columns() -> tuple[Node, ...]:
    return tuple(standard_columns()[:COLUMNS])


def networks(count: int) -> list[str]:
    return [f"|nor_conv_3x3~0|+|nor_conv_3x3~0|skip_connect~1|+|none~0|avg_pool_3x3~1|-{n}" for n in range(count)]


def step(name: str, count: int, folder: Path) -> None:
    """Run one step and print its seconds, of the clock and of the processor, and the peak of resident memory in MB."""
    context, names = Context(get_task("digits201")), networks(count)
    runner.measured_or_failed = stand_in
    rng = np.random.default_rng(0)
    some = [names[place] for place in rng.choice(count, FEW, replace=False)]
    steps: dict[str, Callable[[], object]] = {
        "nothing": lambda: None,
        "sweep": lambda: sweep_failures(ColumnStore(folder, context), names[: -count // 10], columns()),
        "resume": lambda: sweep_failures(ColumnStore(folder, context), names, columns()),
        "nothing missing": lambda: sweep_failures(ColumnStore(folder, context), names, columns()),
        "few networks": lambda: sweep_into(ColumnStore(folder, context), some, columns()),
        "few columns": lambda: sweep_into(ColumnStore(folder, context), names, columns()[:SOME_COLUMNS]),
        "everything": lambda: sweep_into(ColumnStore(folder, context), names, columns()),
        "info": lambda: summaries(folder),
    }
    columns()
    clock, processor = time.perf_counter(), time.process_time()
    steps[name]()
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    print(f"{clock:.2f} {processor:.2f} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, nargs="+", default=SIZES)
    parser.add_argument("--folder", type=Path, default=Path("runs/store-scale"))
    parser.add_argument("--step", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        step(options.step, options.networks[0], options.folder)
        return
    for count in options.networks:
        shutil.rmtree(options.folder, ignore_errors=True)
        for name in STEPS:
            command = [sys.executable, __file__, "--step", name, "--networks", str(count), "--folder", options.folder]
            shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
            clock, processor, peak = map(float, shown)
            figures = f"{clock:8.2f} s, {processor:8.2f} s of CPU, peak {peak:6.0f} MB"
            print(f"{count:>7,} networks, {name:<15}: {figures}", flush=True)
        files = [path.stat().st_size for path in options.folder.rglob("*") if path.is_file()]
        print(f"{count:>7,} networks: {len(files):,} files, {sum(files) / 1e6:,.0f} MB on the disk", flush=True)
    shutil.rmtree(options.folder, ignore_errors=True)


if __name__ == "__main__":
    main()
