"""The official files of NDS, one json file each, and the tables that are made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd

from zcproxy.benchmarks.nds.entries import architecture_of
from zcproxy.benchmarks.shared.label_table import ARCHITECTURE, Converted, KnownFile, TableSource
from zcproxy.errors import BenchmarkError
from zcproxy.reading.plain_values import finite_number, read_json

COLUMNS = ("accuracy", "params", "flops", "trainings")


@dataclass(frozen=True)
class NDSFile:
    """One official file.

    Attributes:
        family: whose networks it has.
        variant: how the training differs: `fix-w-d` for one width and depth, `lr-wd` for a random learning rate and
            weight decay per network; empty for the common setting.
        imagenet: trained on ImageNet (50 epochs); on CIFAR-10 (100 epochs) if not.
        digest: id that git gives the file.
    """

    family: str
    variant: str
    imagenet: bool
    digest: str

    @property
    def stem(self) -> str:
        """The name of the file without its ending."""
        variant = f"_{self.variant}" if self.variant else ""
        return f"{self.family}{variant}{'_in' if self.imagenet else ''}"

    @property
    def task(self) -> str:
        """The name of the task without that of the benchmark: `darts-imagenet`."""
        parts = (self.family.lower(), self.variant, "imagenet" if self.imagenet else "cifar10")
        return "-".join(part for part in parts if part)

    @property
    def source(self) -> TableSource:
        """The table that is made of the file."""
        convert = partial(convert_entries, self.family)
        files = (KnownFile(f"{self.stem}.json", self.digest),)
        return TableSource("nds", self.stem, files, convert, COLUMNS, labels=COLUMNS[:1])


FILES = {
    file.task: file
    for file in (
        NDSFile("DARTS", "", True, "89212c5c04fa67eb1bd596d7b247e41a41fb1052"),
        NDSFile("DARTS", "", False, "32ef58bdaad7feb1197a67a9a21e363414094e97"),
        NDSFile("DARTS", "fix-w-d", True, "6dee33051ffe2e33f06b1defe3ebcd46a5388ac8"),
        NDSFile("DARTS", "fix-w-d", False, "0be244d635e043bfa3eb57bc015b26ad541f4c92"),
        NDSFile("DARTS", "lr-wd", True, "d9bb32a7f23d3a92e741e212d9094d6113bf023e"),
        NDSFile("DARTS", "lr-wd", False, "df8042e4194e88c4ac161d3f6c366f068b0d86e5"),
        NDSFile("Amoeba", "", True, "5dced8e55a0b94cef63078d2fd98f8391fd6bbb6"),
        NDSFile("Amoeba", "", False, "6b4faf64eab9e1c7accedb8c686582ba1472cd4d"),
        NDSFile("NASNet", "", True, "bd13358af03b85930989a08c160aac73efdb3b68"),
        NDSFile("NASNet", "", False, "1fbcc92398bb160978a879412acdce8b843d8aac"),
        NDSFile("PNAS", "", True, "5c817abf4aeb75ffc89d3211ba954e55e781c926"),
        NDSFile("PNAS", "", False, "42a0071f4a735fddda69a6debc5e12dd2c722255"),
        NDSFile("PNAS", "fix-w-d", False, "c3e25719b12cb760f199575763a06cd12b486270"),
        NDSFile("ENAS", "", True, "4b5d4e73773779f8a5df48fb050e7f05085a63c1"),
        NDSFile("ENAS", "", False, "8cdef6b54f2665047ec8421d525d36b6d14c7645"),
        NDSFile("ENAS", "fix-w-d", False, "bb1a26b64ef420a5f4cca527a7b7540f8b734735"),
        NDSFile("ResNet", "", False, "f9f87024fee84d6e62a15d2eed025c1b98aa9ac8"),
        NDSFile("ResNet", "lr-wd", True, "2e6e0b0f870efa90625db1d0debe989db3d140a0"),
        NDSFile("ResNet", "lr-wd", False, "5f32dbff1fa120c2763d2ec9fc93c31638dc7676"),
        NDSFile("ResNeXt-A", "", True, "6756c08dbf4e4f1ecf310a6bbff1a1686c5ee2ff"),
        NDSFile("ResNeXt-A", "", False, "22a8319a9c3bbce2ed0937bea08e7ea9edc3396d"),
        NDSFile("ResNeXt-B", "", True, "466b4df14f2fe44e86cbb0d9eea9f95443c5accd"),
        NDSFile("ResNeXt-B", "", False, "dc0c6c58e8a599ee0824aac8a24454257e302602"),
        NDSFile("Vanilla", "", False, "2d2285180507001ba6a189d99e0891d7c559f96b"),
        NDSFile("Vanilla", "lr-wd", True, "d5d5f0c09dfc1ae5f12ba7d3bac77cb378dc1152"),
        NDSFile("Vanilla", "lr-wd", False, "93c8d272e1b619a5c921267074aefcc0440779a5"),
    )
}
"""The files that tasks are made of, by the name of the task; the repeated trainings of ResNet and Vanilla are not."""


def convert_entries(family: str, contents: Sequence[bytes]) -> Converted:
    """Return the table of a file of entries: accuracy in percent, published `params` and `flops` (millions).

    The accuracy is 100 minus the error after the last epoch; networks that occur several times get its mean, and the
    count in `trainings`. An entry that is not a network of the family, or has no such error, is left out.

    Args:
        family: one of `zcproxy.benchmarks.nds.families.FAMILIES`.
        contents: the json file: a list of entries, or lists called `top` and `mid`.

    Raises:
        BenchmarkError: this is not such a file, or it has no entry of the family.
    """
    rows, left_out = [], []
    for number, entry in enumerate(_entries(contents[0])):
        try:
            rows.append(_row(family, entry))
        except BenchmarkError as error:
            left_out.append(f"entry {number}: {error}")
    if not rows:
        raise BenchmarkError(
            f"no entry is a network of the NDS family {family}; {left_out[0] if left_out else 'empty'}"
        )
    frame = pd.DataFrame(rows, columns=[ARCHITECTURE, *COLUMNS])
    means = {"accuracy": "mean", "params": "first", "flops": "first", "trainings": "sum"}
    return Converted(frame.groupby(ARCHITECTURE, sort=False).agg(means).reset_index(), tuple(left_out))


def _entries(content: bytes) -> list[Any]:
    try:
        found = read_json(content)
    except ValueError as error:
        raise BenchmarkError(f"this is not a json file of NDS ({error}): fetch it again") from error
    if isinstance(found, dict) and {"top", "mid"} <= set(found):
        lists = [found["top"], found["mid"]]
        if not all(isinstance(each, list) for each in lists):
            raise BenchmarkError("this json file holds no lists of NDS entries as 'top' and 'mid'")
        found = [entry for each in lists for entry in each]
    if not isinstance(found, list):
        raise BenchmarkError(f"this json file holds no list of NDS entries but a {type(found).__name__}")
    return found


def _row(family: str, entry: Any) -> tuple[str, float, float, float, int]:
    if not isinstance(entry, dict):
        raise BenchmarkError(f"it is not an entry of NDS but a {type(entry).__name__}")
    architecture = architecture_of(family, entry)
    try:
        accuracy = 100.0 - finite_number(entry["test_ep_top1"][-1])
        params, flops = finite_number(entry["params"]), finite_number(entry["flops"]) / 1e6
    except (LookupError, TypeError) as error:
        raise BenchmarkError(f"its error, params or flops are missing: {error!r:.100}") from error
    except ValueError as error:
        raise BenchmarkError(f"its error, params or flops are not numbers: the training diverged ({error})") from error
    if not 0 <= accuracy <= 100 or min(params, flops) < 0:
        raise BenchmarkError(f"{accuracy:g} % accuracy, {params:g} params or {flops:g} million flops make no sense")
    return architecture, accuracy, params, flops, 1
