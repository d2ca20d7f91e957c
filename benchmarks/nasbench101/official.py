"""The official release of NAS-Bench-101 as a table: a TFRecord file, read without TensorFlow.

Each record is one training, written as json: module hash, epochs, adjacency matrix, operations, and a message of
protocol buffers in base64 (`model_metrics.proto` of github.com/google-research/nasbench).
"""

from __future__ import annotations

import base64
import binascii
import math
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from zcproxy.benchmarks.nasbench101.cell import MOST_VERTICES, OPERATIONS, to_bits
from zcproxy.benchmarks.nasbench101.labels import EPOCHS, TABLE, Trained, cell_text, tabulate
from zcproxy.benchmarks.shared.label_table import Converted
from zcproxy.benchmarks.shared.official import Reading, read_known_files
from zcproxy.errors import BenchmarkError
from zcproxy.reading.data_directory import sha256_of
from zcproxy.reading.plain_values import read_json, whole_number
from zcproxy.reading.protobuf import Message
from zcproxy.reading.tfrecords import read_records
from zcproxy.workers.progress import Progress

RELEASES = {
    "nasbench_only108.tfrecord": "4c39c3936e36a85269881d659e44e61a245babcb72cb374eacacf75d0e5f4fd1",
    "nasbench_full.tfrecord": "3d64db8180fb1b0207212f9032205064312b6907a3bbc81eabea10db2f5c7e9c",
}
"""The official files and their sha256, as their authors publish it."""

SUFFIX = ".tfrecord"
_NAMES = dict(zip(("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"), OPERATIONS, strict=True))
_INPUT, _OUTPUT = "input", "output"
_FIELDS = 5
_EVALUATIONS, _PARAMS, _VALIDATION = 1, 2, 4
"""Numbers of the fields of a message; the last one is of an evaluation."""

_START_HALF_END = 3
_STEP = 10_000
"""Records between two messages of progress."""

_LONGEST = 160


def read(path: Path, trust: bool, progress: Progress) -> Iterator[Reading]:
    """Yield the table at a path: an official `.tfrecord` file, a folder with one, or the csv file with a part of it.

    Raises:
        BenchmarkError: the path holds neither, or a file that is neither known nor trusted.
    """
    file = _record_file(path)
    if file is None:
        yield from read_known_files((TABLE,), path, trust, progress)
        return
    digest = sha256_of(file)
    known = digest in RELEASES.values()
    if not known and not trust:
        official = " and ".join(f"{each[:12]}..." for each in RELEASES.values())
        raise BenchmarkError(
            f"{file.name} is not an official file: its sha256 is {digest[:12]}..., those of NAS-Bench-101 are "
            f"{official}; fetch it again, or import it with `trust`"
        )
    try:
        yield Reading(TABLE, {file.name: digest}, known, read_tfrecord(file, progress))
    except BenchmarkError as error:
        yield Reading(TABLE, {file.name: digest}, known, error)


def read_tfrecord(path: Path, progress: Progress) -> Converted:
    """Return the table of a file: the trainings of 108 epochs; a record that makes no sense is left out.

    Raises:
        BenchmarkError: the file is damaged, or has no such record.
    """
    cells: dict[str, Trained] = {}
    left_out: list[str] = []
    text_of = cache(_cell_text)
    total = path.stat().st_size
    with path.open("rb") as stream:
        for number, record in enumerate(read_records(stream, path.name)):
            try:
                found = _read_record(record, text_of)
                if found is not None:
                    text, params, share = found
                    cells.setdefault(text, Trained(params)).add(params, share)
            except (TypeError, ValueError, LookupError) as error:
                left_out.append(f"record {number}: {str(error)[:_LONGEST]}")
            if number % _STEP == 0:
                progress(stream.tell(), total)
    progress(total, total)
    return tabulate({text: found for text, found in cells.items() if found.accuracies}, left_out)


def _record_file(path: Path) -> Path | None:
    """Return the file of records at a path, or None."""
    if os.path.isdir(path):
        return next((path / name for name in RELEASES if os.path.isfile(path / name)), None)
    return path if path.suffix == SUFFIX and os.path.isfile(path) else None


def _read_record(record: bytes, text_of: Callable[[str, str, str], str]) -> tuple[str, int, float] | None:
    """Return text, parameters and accuracy of a training; None for one of fewer epochs."""
    values = read_json(record)
    if not isinstance(values, list) or len(values) != _FIELDS:
        raise ValueError(f"it is not a list of {_FIELDS} values")
    key, epochs, adjacency, operations, metrics = values
    if whole_number(epochs) != EPOCHS:
        return None
    if not all(isinstance(each, str) for each in (key, adjacency, operations, metrics)):
        raise TypeError("its hash, graph or metrics are not text")
    return (text_of(adjacency, operations, key), *_params_and_accuracy(metrics))


def _cell_text(adjacency: str, operations: str, key: str) -> str:
    """Return the text of a cell. Raises `ValueError` if it is none, or has another module hash."""
    names = operations.split(",")
    side = math.isqrt(len(adjacency))
    if side != len(names) or side**2 != len(adjacency) or not 2 <= side <= MOST_VERTICES:
        raise ValueError(f"{len(adjacency)} digits and {len(names)} operations are not a graph of a cell")
    if not set(adjacency) <= {"0", "1"} or (names[0], names[-1]) != (_INPUT, _OUTPUT):
        raise ValueError("its graph is not made of 0 and 1, or does not go from input to output")
    edges = [divmod(place, side) for place, digit in enumerate(adjacency) if digit == "1"]
    if any(source >= target for source, target in edges):
        raise ValueError("an edge of its graph leads backwards")
    unknown = next((name for name in names[1:-1] if name not in _NAMES), None)
    if unknown is not None:
        raise ValueError(f"it has the unknown operation '{unknown:.40}'")
    return cell_text([_NAMES[name] for name in names[1:-1]], to_bits(edges), key)


def _params_and_accuracy(metrics: str) -> tuple[int, float]:
    """Return trainable parameters, and the share of validation images that are right at the end of a training."""
    try:
        message = Message(base64.b64decode(metrics, validate=True))
    except binascii.Error as error:
        raise ValueError(f"its metrics are not base64 ({error})") from error
    evaluations = message.messages(_EVALUATIONS)
    if len(evaluations) != _START_HALF_END:
        raise ValueError(f"it has {len(evaluations)} evaluations, expected start, half and end")
    return message.whole(_PARAMS), evaluations[-1].double(_VALIDATION)
