"""`zcproxy.discover`: models and accuracies in, a proxy out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch import nn

from zcproxy.building.checking import Checked, check_networks
from zcproxy.building.from_table import check_not_equal
from zcproxy.contracts.own_labels import named_networks, own_labels
from zcproxy.contracts.own_models import Collection, named_models
from zcproxy.contracts.own_task import OwnTask, checked_shape
from zcproxy.discovery.few import FEWEST, Discovery, Effort, discover_on
from zcproxy.errors import BenchmarkError
from zcproxy.evolve.configuration import DEFAULT_PROBES
from zcproxy.evolve.observer import Observer, Silent
from zcproxy.probing.own_loss import LossFunction
from zcproxy.storage.notices import notice

Model = nn.Module | Callable[[], nn.Module]


def discover(
    models: Mapping[str, Model] | Sequence[Model],
    accuracies: Mapping[str, float] | Sequence[float] | Any,
    *,
    input_shape: Sequence[int],
    classes: int | None = None,
    out: Path | str | None = None,
    name: str = "own",
    data: Any = None,
    loss: LossFunction | None = None,
    lower_is_better: bool = False,
    key: str = "",
    probes: Sequence[str] = DEFAULT_PROBES,
    generations: int = 10,
    seed: int = 0,
    workers: int = 1,
    device: str = "cpu",
    cache: Path | None = None,
    observer: Observer | None = None,
) -> Discovery:
    """Discover a proxy for networks that you trained, by their accuracies. Nothing is trained.

        found = zcproxy.discover({"a": build_a, ...}, frame.set_index("name")["accuracy"], input_shape=(3, 32, 32))
        print(found)
        found.proxy(network, inputs)

    Args:
        models: functions that build an untrained network, or untrained modules, by name or in order.
        accuracies: numbers in the same order, or by name (a mapping; a `pandas.Series` whose index is not a count); per
            cent, shares, or others. NaN leaves a network out.
        input_shape: shape of one sample, without the batch.
        classes: number of logits; None for that of the first network.
        out: run directory; `runs/` and the name of the task if None.
        name: begins the name of the task; measured columns are kept under it.
        data: samples for probes that look at them, see `zcproxy.Task.from_frame`, like `loss`.
        loss: takes output and targets, in place of the cross-entropy.
        lower_is_better: whether the numbers are losses or errors.
        key: stands for the content of the models where measured columns are kept; empty for a digest of it.
        probes: what columns may use; `data` looks at samples.
        generations: of every island, for each split of the labels.
        seed: of every random choice.
        workers: processes; the result does not depend on it. Models have to be functions of a module then.
        device: `cpu` or `cuda`.
        cache: the cache directory; the default one if None.
        observer: called with the progress.

    Raises:
        BenchmarkError: models and accuracies do not fit each other, or fewer than 16 networks are left that have a
            number and can be built and run: a notice names those that cannot.
        RunError: `out` belongs to another run.
    """
    watching = observer or Silent()
    shape = checked_shape(input_shape)
    collection, labels, checked = _checked(models, accuracies, shape, classes, lower_is_better, watching)
    make = partial(OwnTask, name=name, data=data, loss=loss, key=key, costs=checked.costs)
    task = make(collection, labels, shape, checked.classes)
    place = Path("runs") / task.name if out is None else Path(out)
    effort = Effort(generations, probes=tuple(probes) if loss else checked.probes(probes), seed=seed)
    run = partial(discover_on, workers=workers, device=device, cache=cache, observer=watching)
    return run(task.name, place, effort, left_out=checked.failed)


def _checked(
    models: Any,
    accuracies: Any,
    shape: tuple[int, ...],
    classes: int | None,
    lower_is_better: bool,
    observer: Observer,
) -> tuple[Collection, dict[str, float], Checked]:
    """Return the models, the labels of those that can be used, and what was found of them."""
    known = named_models(models)
    labels = own_labels(_by_name(known, models, accuracies), lower_is_better=lower_is_better)
    collection = Collection({each: known[each] for each in labels})
    checked = check_networks(
        collection,
        list(labels),
        shape,
        classes,
        least=FEWEST,
        progress=lambda done, total: observer.step("building the networks", done, total),
    )
    usable = {each: labels[each] for each in checked.costs}
    check_not_equal(usable)
    return collection, usable, checked


def _by_name(known: Mapping[str, Any], models: object, accuracies: Any) -> dict[str, Any]:
    """Return the numbers of the models by their names."""
    has_names = isinstance(models, Mapping)
    if isinstance(accuracies, pd.DataFrame):
        raise BenchmarkError("`accuracies` is a DataFrame: give one of its columns, frame.set_index(...)[...]")
    if has_names and isinstance(accuracies, pd.Series) and not _is_counted(accuracies.index):
        accuracies = _of_series(accuracies)
    if isinstance(accuracies, Mapping):
        return _of_mapping(known, {str(name): value for name, value in accuracies.items()})
    values = list(accuracies) if isinstance(accuracies, Iterable) and not isinstance(accuracies, str) else None
    if values is None or np.ndim(values) != 1:
        raise BenchmarkError("`accuracies` is not one number per model: give a sequence, a Series or a mapping")
    if len(values) != len(known):
        raise BenchmarkError(
            f"{len(known)} models and {len(values)} accuracies: give one accuracy per model, NaN where there is none"
        )
    return dict(zip(known, values, strict=True))


def _is_counted(index: pd.Index[Any]) -> bool:
    """Whether the index of a series only counts its rows."""
    return isinstance(index, pd.RangeIndex)


def _of_series(accuracies: pd.Series[Any]) -> dict[str, Any]:
    repeated = accuracies.index[accuracies.index.duplicated()]
    if len(repeated):
        raise BenchmarkError(f"`accuracies` has '{repeated[0]}' twice: give one accuracy per model")
    return {str(name): value for name, value in accuracies.items()}


def _of_mapping(known: Mapping[str, Any], accuracies: Mapping[str, Any]) -> dict[str, Any]:
    unknown = [name for name in accuracies if name not in known]
    if unknown:
        raise BenchmarkError(
            f"{len(unknown)} of {len(accuracies)} accuracies have no model of their name: {named_networks(unknown)}"
        )
    without = [name for name in known if name not in accuracies]
    if without:
        notice(f"no accuracy, left out: {named_networks(without)}; {len(known) - len(without)} networks are left")
    return {name: accuracies[name] for name in known if name in accuracies}
