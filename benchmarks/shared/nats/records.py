"""Records of NAS-Bench-201 and NATS-Bench as rows of a table.

`ArchResults`, which holds the trainings of an architecture under one schedule, is a class of nas-bench-201 and of
nats-bench, with the same methods.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from zcproxy.benchmarks.shared.nats.releases import Contents
from zcproxy.errors import BenchmarkError
from zcproxy.extras import extra
from zcproxy.reading.plain_values import dictionary, finite_number, whole_number
from zcproxy.workers.progress import Progress

TEST = {
    "cifar10": ("cifar10", "ori-test"),
    "cifar100": ("cifar100", "x-test"),
    "imagenet16": ("ImageNet16-120", "x-test"),
}
"""Name in our columns -> the training and the evaluation that the papers report as test accuracy.

A release trains for CIFAR-10 twice: `cifar10-valid` on half of the training images, `cifar10` on all of them.
"""

_SEED_OF_COSTS = 888
_BY_EPOCH = ("eval_acc1es", "eval_losses", "eval_times")
_COSTS = ("params", "flop")
_MOST_EPOCHS = 10_000
_LONGEST_REASON = 200


def nats_bench_results() -> Callable[[Any], Any]:
    """Return what makes an `ArchResults` from its state. Raises `ConfigurationError` if nats-bench is not installed."""
    with extra("nats", "an import of NATS-Bench"):
        from nats_bench.api_utils import ArchResults
    return ArchResults.create_from_state_dict


def tabulate(
    contents: Contents,
    path: Path,
    what: str,
    *,
    parse: Callable[[str], object],
    create: Callable[[Any], Any],
    schedules: Mapping[str, str],
    row: Callable[..., dict[str, Any]],
    progress: Progress | None,
) -> pd.DataFrame:
    """Return a table with one row per record, in official index order, with the official index as its index.

    Args:
        contents: contents of the release.
        path: where it was read, for the errors.
        what: the release that is expected, for the errors.
        parse: raises `BenchmarkError` for text that is not an architecture of the space.
        create: makes an `ArchResults` of its state.
        schedules: name of an argument of `row` -> key of the schedule in a record.
        row: makes a row of an architecture and the results of its schedules.
        progress: called after each record with the number read and their total.

    Raises:
        BenchmarkError: an architecture is not in the space, a record is broken, or there is none.
    """
    for index, text in enumerate(contents.architectures):
        try:
            parse(text)
        except BenchmarkError as error:
            raise BenchmarkError(f"{path} is not {what}: architecture {index}: {error}") from error
    rows: dict[int, dict[str, Any]] = {}
    for key, record in contents.records:
        try:
            index = _index(key, len(contents.architectures))
            states = dictionary(record)
            results = {name: create(_state(states[schedule])) for name, schedule in schedules.items()}
            _check_identity(index, contents.architectures[index], results.values())
            rows[index] = row(contents.architectures[index], **results)
        except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError) as error:
            reason = f"it lacks {error}" if isinstance(error, KeyError) else f"{error}"
            shown = key if type(key) is int else f"of a {type(key).__name__}"
            raise BenchmarkError(
                f"{path}: the record of architecture {shown} is broken: {reason[:_LONGEST_REASON]}"
            ) from error
        if progress is not None:
            progress(len(rows), contents.count)
    if not rows:
        raise BenchmarkError(f"{path} has no record of an architecture: expected {what}")
    return pd.DataFrame.from_dict(rows, orient="index").sort_index().rename_axis("index")


def _index(key: object, count: int) -> int:
    index = whole_number(key)
    if not 0 <= index < count:
        raise IndexError(f"list index out of range: there are {count} architectures")
    return index


def _state(state: object) -> dict[str, Any]:
    """Return what is needed of the state of an `ArchResults`, of plain types alone.

    `ArchResults.create_from_state_dict` takes a text for the name of a file, which it unpickles; and its states
    overwrite any attribute, methods too.

    Raises:
        TypeError, KeyError, ValueError: it is not such a state.
    """
    found = dictionary(state)
    seeds = dictionary(found["dataset_seed"])
    trainings = dictionary(found["all_results"])
    if not all(isinstance(dataset, str) and isinstance(each, list) for dataset, each in seeds.items()):
        raise TypeError("its seeds are not lists by dataset")
    return {
        "arch_index": whole_number(found["arch_index"]),
        "arch_str": _text(found["arch_str"]),
        "dataset_seed": {dataset: [_seed(seed) for seed in each] for dataset, each in seeds.items()},
        "all_results": {_training_key(key): _training(training) for key, training in trainings.items()},
    }


def _training(state: object) -> dict[str, Any]:
    """Return what is needed of the state of a `ResultsCount`; a missing entry is an error only where it is used."""
    found = dictionary(state)
    kept: dict[str, Any] = {name: dictionary(found[name]) for name in _BY_EPOCH if name in found}
    if "eval_names" in found:
        kept["eval_names"] = [_text(name) for name in found["eval_names"]]
    if "epochs" in found:
        kept["epochs"] = whole_number(found["epochs"])
        if not 1 <= kept["epochs"] <= _MOST_EPOCHS:
            raise ValueError(f"it was trained for {kept['epochs']} epochs")
    return kept | {name: finite_number(found[name]) for name in _COSTS if name in found}


def _training_key(key: object) -> tuple[str, int | str]:
    if not isinstance(key, tuple) or len(key) != 2:
        raise TypeError("a training is not named by dataset and seed")
    return _text(key[0]), _seed(key[1])


def _seed(seed: object) -> int | str:
    return seed if isinstance(seed, str) else whole_number(seed)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a {type(value).__name__} stands for text")
    return value


def _check_identity(index: int, architecture: str, results: Iterable[Any]) -> None:
    for result in results:
        if (result.arch_index, result.arch_str) != (index, architecture):
            raise ValueError(f"it is that of architecture {result.arch_index}, {result.arch_str}")


def accuracy(results: Any, dataset: str, subset: str, seed: int | None = None) -> float:
    """Return the accuracy after the last epoch in percent.

    Args:
        results: an `ArchResults`.
        dataset: name of the training, such as `cifar10-valid`.
        subset: name of the evaluation, such as `x-test`.
        seed: seed of one training; None is the mean over those stored.

    Raises:
        LookupError: there is no such training or evaluation.
        TypeError, ValueError: it is not a percentage.
    """
    # The method's `is_random` is False for the mean, a seed for one training, and True for any of them.
    metrics = results.get_metrics(dataset, subset, is_random=False if seed is None else seed)
    found = metrics["accuracy"]
    try:
        percent = finite_number(found)
    except ValueError:
        percent = math.nan
    if not 0 <= percent <= 100:
        raise ValueError(f"the accuracy on {dataset} is {found}")
    return percent


def accuracy_if_stored(results: Any, dataset: str, subset: str, seed: int | None = None) -> float:
    """Return `accuracy`, or NaN where a release has no such training or evaluates it on other images."""
    trainings = results.query(dataset) if dataset in results.get_dataset_names() else {}
    stored = any(subset in training.get_eval_set() for training in trainings.values())
    return accuracy(results, dataset, subset, seed) if stored and (seed is None or seed in trainings) else math.nan


def costs(results: Any, dataset: str) -> tuple[int, float]:
    """Return the number of parameters, and the multiply-adds in millions.

    Some trainings of NAS-Bench-201 are stored with the size of another network. Where the trainings of an architecture
    disagree, that of seed 888 is right (nats-bench, issue 36).
    """
    sizes = {seed: (round(1e6 * each.params), float(each.flop)) for seed, each in results.query(dataset).items()}
    agree = len({parameters for parameters, _ in sizes.values()}) == 1
    return min(sizes.values()) if agree else sizes[_SEED_OF_COSTS]
