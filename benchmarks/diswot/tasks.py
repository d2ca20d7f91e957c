"""The two tasks of DisWOT's students: rank them by accuracy on CIFAR-100, distilled or trained alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pandas as pd

from zcproxy.benchmarks.diswot.network import CLASSES
from zcproxy.benchmarks.diswot.space import StudentSpace
from zcproxy.benchmarks.shared.label_table import ARCHITECTURE, Converted, KnownFile, TableSource
from zcproxy.benchmarks.shared.table_task import TableTask
from zcproxy.errors import BenchmarkError
from zcproxy.images.published import Images
from zcproxy.reading.plain_values import finite_number

DISTILLED, PLAIN = "distilled", "plain"
LABELS = {"cifar100": DISTILLED, "cifar100-plain": PLAIN}
"""The column of accuracies of each task."""

SIDE = 32
TEACHER = "zcproxy.benchmarks.diswot:resnet110"
_FILES = {
    PLAIN: KnownFile("s1-gt-cls.txt", "465d61399626e3b6abe08b2dbabcd2a09026b6ed5e83510d3ef87b14822317ad"),
    DISTILLED: KnownFile("s1-gt-kd.txt", "48d218437e37318b6685c8c489a380011e964cfe0584228d8a9bd530911705b6"),
}


def convert(contents: Sequence[bytes]) -> Converted:
    """Return the table of the two files, each with lines of an architecture and its accuracy in percent.

    Raises:
        BenchmarkError: a line is something else, or the files do not list the same networks.
    """
    plain, distilled = (_read(content, file.name) for content, file in zip(contents, _FILES.values(), strict=True))
    if plain.keys() != distilled.keys():
        names = " and ".join(file.name for file in _FILES.values())
        raise BenchmarkError(f"{names} do not list the same networks")
    rows = [[text, plain[text], distilled[text]] for text in plain]
    return Converted(pd.DataFrame(rows, columns=[ARCHITECTURE, PLAIN, DISTILLED]))


def _read(content: bytes, name: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for number, line in enumerate(content.decode("ascii", "replace").split("\n"), start=1):
        parts = line.split()
        if not parts:
            continue
        try:
            text, accuracy = parts
            found[StudentSpace().parse(text)] = finite_number(float(accuracy))
        except (ValueError, BenchmarkError) as error:
            raise BenchmarkError(f"{name}: line {number} is not a network and its accuracy: {error}") from error
    return found


TABLE = TableSource("diswot", "labels", tuple(_FILES.values()), convert, (PLAIN, DISTILLED), labels=(PLAIN, DISTILLED))


@cache
def load_task(dataset: str) -> StudentTask:
    """Return the task of a dataset: `cifar100` for distilled students, `cifar100-plain` for those trained alone."""
    return StudentTask(dataset)


class StudentTask(TableTask):
    """Students labelled with test accuracy. What is measured of them is the same for both labels, and kept once.

    Attributes:
        stored_under: the name that measured columns are kept under.
        teacher: what formulas read that compare students with a teacher, where the user gives none.
    """

    stored_under = "diswot/cifar100"
    teacher = TEACHER

    def __init__(self, dataset: str) -> None:
        images = Images("cifar100", SIDE)
        super().__init__(f"diswot/{dataset}", StudentSpace(), TABLE, LABELS[dataset], images, CLASSES)
