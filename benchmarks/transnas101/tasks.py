"""The tasks of TransNAS-Bench-101 with a classifier: objects, scenes, jigsaw puzzles, in the micro and macro space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial

import pandas as pd

from zcproxy.benchmarks.shared.label_table import ARCHITECTURE, Converted, KnownFile, TableSource
from zcproxy.benchmarks.shared.table_task import TableTask
from zcproxy.benchmarks.transnas101.macro import MacroSpace
from zcproxy.benchmarks.transnas101.micro import MicroSpace
from zcproxy.contracts.task import SearchSpace
from zcproxy.errors import BenchmarkError
from zcproxy.images.published import Images
from zcproxy.reading.plain_values import finite_number, read_csv

LABEL = "test_top1"
SIDE, TILE_SIDE = 64, 32
"""Height and width of the images and tiles that networks are probed with; they were trained on 256 and 64."""


@dataclass(frozen=True)
class Head:
    """The classes that networks were trained to distinguish.

    Attributes:
        task: its name in the benchmark, and in that of the table of its results.
        digest: sha256 of the table.
        classes: number of logits.
        puzzle: whether inputs are tiles.
    """

    task: str
    digest: str
    classes: int
    puzzle: bool = False


HEADS = {
    "object": Head("class_object", "3b46f60251614ad96742bf14662693d71641ce365181bd5d2b082b43aa48cbee", 75),
    "scene": Head("class_scene", "6abcf888d40032fddba3644b671d46e447284243f57c812e46a2fa9a803fd2a6", 47),
    "jigsaw": Head("jigsaw", "9d213b01d2f0304c47d6b77cc5952c82c4c350f8db5131a5b3be7e72c605e1a1", 1000, puzzle=True),
}
SPACES: dict[str, SearchSpace] = {"micro": MicroSpace(), "macro": MacroSpace()}
DATASETS = tuple(f"{space}-{head}" for space in SPACES for head in HEADS)


@cache
def load_task(dataset: str, side: int | None = None) -> TableTask:
    """Return a task, such as `micro-object`; the label is the test accuracy of the best epoch, one training each.

    Args:
        dataset: one of `DATASETS`.
        side: height and width of the images instead of `SIDE`, or of the tiles instead of `TILE_SIDE`.
    """
    kind, _, name = dataset.partition("-")
    head = HEADS[name]
    images = Images("taskonomy", side or (TILE_SIDE if head.puzzle else SIDE), head.puzzle)
    title = f"transnas101/{dataset}{f'@{side}' if side else ''}"
    return TableTask(title, SPACES[kind], table_of(kind, name), LABEL, images, head.classes)


def table_of(kind: str, head: str) -> TableSource:
    """Return the table of a space (`micro`, `macro`) and a head."""
    file = KnownFile(f"transbench101_{HEADS[head].task}.csv", HEADS[head].digest)
    return TableSource("transnas101", f"{kind}-{head}", (file,), partial(convert_rows, kind), (LABEL,), (LABEL,))


def convert_rows(kind: str, contents: Sequence[bytes]) -> Converted:
    """Return the architectures of one space in a table of results.

    Raises:
        BenchmarkError: this is not such a table.
    """
    try:
        table = read_csv(contents[0], ("arch_str", "search_space", LABEL))
    except ValueError as error:
        raise BenchmarkError(f"this is not a table of TransNAS-Bench-101: {error}") from error
    rows, left_out = [], []
    for number, row in enumerate(table[table["search_space"] == kind].itertuples(index=False)):
        try:
            rows.append((SPACES[kind].parse(str(row.arch_str)), finite_number(getattr(row, LABEL))))
        except (BenchmarkError, TypeError, ValueError) as error:
            left_out.append(f"row {number} of {kind}: {error}")
    return Converted(pd.DataFrame(rows, columns=[ARCHITECTURE, LABEL]), tuple(left_out))
