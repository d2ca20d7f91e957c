"""Columns that are drawn instead of measured: what a store is filled with where only the store is tested."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zcproxy.columns.context import Context
from zcproxy.columns.store import ColumnStore
from zcproxy.names.tasks import get_task
from zcproxy.primitives import parse
from zcproxy.probing.coverage import Coverage
from zcproxy.probing.measure import Measurement

CONTEXT = Context(get_task("digits201"), batch_size=2)
COLUMNS = tuple(map(parse, ("params", "log_paths", "frobenius_norm(grad(weight)@noise)", "std(block@noise)")))
PARAMS, _, GRADIENT, BLOCK = COLUMNS


def drawn(number: int) -> Measurement:
    """Return what stands for the measurement of a network; every tenth has no layers, and float64 where others do not.

    Each differs from the others in its number of layers, blocks and edges.
    """
    layers = 0 if number % 10 == 9 else 2 + number % 5
    rng = np.random.default_rng(number)
    precision = np.float32 if layers else np.float64
    sizes = {column: {PARAMS: layers, GRADIENT: layers, BLOCK: layers // 2}.get(column, 1) for column in COLUMNS}
    values = {column: rng.normal(size=size).astype(precision) for column, size in sizes.items()}
    return Measurement(
        layers,
        values,
        coverage=Coverage({"head": number}, 0.5) if number % 7 == 0 else Coverage(),
        blocks=tuple(range(layers // 2)),
        stages=(0,) * layers,
        edges=tuple((place - 1, place) for place in range(layers)),
    )


def write_files(store: ColumnStore, numbers: Sequence[int], each: int = 1) -> None:
    """Write networks that are named by numbers, a few to a file."""
    for start in range(0, len(numbers), each):
        some = numbers[start : start + each]
        store.write([f"n{number}" for number in some], COLUMNS, list(map(drawn, some)))


def names(numbers: Sequence[int]) -> list[str]:
    """Return the names of networks."""
    return [f"n{number}" for number in numbers]
