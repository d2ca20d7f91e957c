"""The measured accuracies and sizes of the cells, one table, and the file with a part of them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from zcproxy.benchmarks.nasbench101.cell import MOST_VERTICES, OPERATIONS, canonical, edges_of
from zcproxy.benchmarks.nasbench101.encoding import to_text
from zcproxy.benchmarks.nasbench101.hashing import module_hash
from zcproxy.benchmarks.shared.label_table import ARCHITECTURE, Converted, KnownFile, TableSource
from zcproxy.errors import BenchmarkError
from zcproxy.reading.plain_values import finite_number, read_csv, whole_number

EPOCHS = 108
MOST_TRAININGS = 3
TRIALS = tuple(f"training_{number}" for number in range(MOST_TRAININGS))
COLUMNS = ("accuracy", "params", *TRIALS)
PART_FILE = "nb101_subset_15000.csv"
_PART_SHA256 = "36281975025960acf06af09af101d0904d9ee9675ae133c0d4fd60db654656f4"
_ACCURACY, _PARAMS = f"{EPOCHS}_final_validation_accuracy", "trainable_parameters"
_CSV = ("module_hash", "num_vertices", "upper_bits", "ops", _ACCURACY, _PARAMS)
_LONGEST = 160


@dataclass
class Trained:
    """What is known of one cell.

    Attributes:
        params: trainable parameters of its network.
        accuracies: validation accuracy after 108 epochs in percent, one per training.
    """

    params: int
    accuracies: list[float] = field(default_factory=list)

    def add(self, params: int, share: float) -> None:
        """Add a training. Raises `ValueError` if it does not fit the others, or is no share of images."""
        if params != self.params:
            raise ValueError(f"it has {params} parameters, in another training {self.params}")
        if not 0 <= share <= 1:
            raise ValueError(f"its accuracy {share:g} is not a share from 0 to 1")
        if len(self.accuracies) == MOST_TRAININGS:
            raise ValueError(f"it has more than {MOST_TRAININGS} trainings")
        self.accuracies.append(100 * share)


def cell_text(operations: Sequence[str], bits: int, key: str) -> str:
    """Return the text of a cell in an official file.

    Args:
        operations: those of the vertices between input and output.
        bits: its edges: see `zcproxy.benchmarks.nasbench101.cell`.
        key: its module hash.

    Raises:
        ValueError: this is no cell, or it has another module hash.
    """
    cell = canonical(dict(enumerate(operations, start=1)), edges_of(bits), len(operations) + 1)
    if module_hash(cell) != key:
        raise ValueError(f"its graph is not the one with the module hash '{key:.40}'")
    return to_text(cell)


def tabulate(cells: Mapping[str, Trained], left_out: Sequence[str]) -> Converted:
    """Return the table of some cells: mean accuracy, parameters, and the accuracy of each training.

    Raises:
        BenchmarkError: there are none.
    """
    if not cells:
        reason = f"; {left_out[0]}" if left_out else ""
        raise BenchmarkError(f"the file has no cell of NAS-Bench-101 that was trained for {EPOCHS} epochs{reason}")
    rows = [
        [
            text,
            math.fsum(found.accuracies) / len(found.accuracies),
            found.params,
            *found.accuracies,
            *[math.nan] * (MOST_TRAININGS - len(found.accuracies)),
        ]
        for text, found in cells.items()
    ]
    return Converted(pd.DataFrame(rows, columns=[ARCHITECTURE, *COLUMNS]), tuple(left_out))


def convert_rows(contents: Sequence[bytes]) -> Converted:
    """Return the table of a csv file with one training per row; a row that makes no sense is left out.

    Raises:
        BenchmarkError: this is not such a file.
    """
    try:
        table = read_csv(contents[0], _CSV, text=("module_hash", "ops"))
    except ValueError as error:
        raise BenchmarkError(f"this is not a table of NAS-Bench-101: {error}") from error
    cells: dict[str, Trained] = {}
    left_out = []
    for number, row in enumerate(_rows(table)):
        try:
            text, params, share = _read_row(row)
            cells.setdefault(text, Trained(params)).add(params, share)
        except (TypeError, ValueError) as error:
            left_out.append(f"row {number}: {str(error)[:_LONGEST]}")
    return tabulate({text: found for text, found in cells.items() if found.accuracies}, left_out)


def _rows(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    columns = [table[name].tolist() for name in _CSV]
    for values in zip(*columns, strict=True):
        yield dict(zip(_CSV, values, strict=True))


def _read_row(row: Mapping[str, Any]) -> tuple[str, int, float]:
    vertices, bits = whole_number(row["num_vertices"]), whole_number(row["upper_bits"])
    digits = "".join(map(str, range(len(OPERATIONS))))
    if not 2 <= vertices <= MOST_VERTICES or not re.fullmatch(f"[{digits}]{{{vertices - 2}}}", row["ops"]):
        raise ValueError(f"{vertices} vertices and the operations '{row['ops']:.20}' are no cell")
    if not 0 <= bits < 2 ** (vertices * (vertices - 1) // 2):
        raise ValueError(f"{bits} stands for no edges of {vertices} vertices")
    operations = [OPERATIONS[int(digit)] for digit in row["ops"]]
    text = cell_text(operations, bits, row["module_hash"])
    return text, whole_number(row[_PARAMS]), finite_number(row[_ACCURACY])


TABLE = TableSource(
    "nasbench101",
    "labels",
    (KnownFile(PART_FILE, _PART_SHA256),),
    convert_rows,
    COLUMNS,
    labels=COLUMNS[:1],
    trials=TRIALS,
    folder="nas_bench_101",
)
