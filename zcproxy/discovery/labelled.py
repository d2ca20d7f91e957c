"""Models of a user with their labels: by name, checked, and made into a task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch

from zcproxy.building.checking import Checked, check_networks
from zcproxy.building.from_table import check_not_equal
from zcproxy.contracts.own_inputs import OwnInputs, inputs_of
from zcproxy.contracts.own_labels import named_networks, own_labels
from zcproxy.contracts.own_models import Collection, named_models
from zcproxy.contracts.own_task import OwnTask, checked_shape
from zcproxy.discovery.arguments import shape_of
from zcproxy.discovery.few import FEWEST
from zcproxy.errors import BenchmarkError
from zcproxy.evolve.observer import Observer
from zcproxy.models.content import content_of
from zcproxy.probing.own_loss import LossFunction
from zcproxy.storage.notices import notice
from zcproxy.user_code.border import running


@dataclass(frozen=True)
class Samples:
    """What networks are run on.

    Attributes:
        input_shape: shape of one sample, without the batch.
        classes: number of logits; None for that of the first network.
        data: samples for probes that look at them, see `zcproxy.Task.from_frame`, like `loss`.
        loss: takes output and targets, in place of the cross-entropy.
        inputs: how models of several inputs are called; None for those of one tensor.
    """

    input_shape: Sequence[int]
    classes: int | None = None
    data: Any = None
    loss: LossFunction | None = None
    inputs: OwnInputs | None = None

    def models(self, known: Mapping[str, Any]) -> dict[str, Any]:
        """Return models that take one tensor."""
        return dict(known) if self.inputs is None else {name: self.inputs.wrapped(each) for name, each in known.items()}


def samples_of(
    input_shape: Any = None,
    classes: int | None = None,
    *,
    data: Any = None,
    loss: LossFunction | None = None,
    batch: Any = None,
    targets: Any = None,
) -> Samples:
    """Return what networks are run on, from what a user gives: `batch`, or the others; see `zcproxy.discover`.

    Raises:
        BenchmarkError: they do not go together, or `batch` cannot be replaced by probes.
    """
    if batch is None:
        if targets is not None:
            raise BenchmarkError("`targets` belong to `batch`: give both, or `data` with inputs and targets")
        return Samples(shape_of(input_shape, data), classes, data, loss)
    if input_shape is not None or data is not None:
        raise BenchmarkError("`batch` has shape and samples: leave out `input_shape` and `data`")
    inputs = inputs_of(batch)
    is_one = isinstance(batch, torch.Tensor | np.ndarray)
    shown = torch.as_tensor(batch) if is_one else inputs.pack(batch)
    shape = tuple(shown.shape[1:])
    if targets is None:
        return Samples(shape, classes, None, loss, None if is_one else inputs)
    with running("`targets` are no tensor", BenchmarkError):
        found = torch.as_tensor(targets)
    return Samples(shape, classes, (shown, found), loss, None if is_one else inputs)


def labelled_task(
    models: Any,
    accuracies: Any,
    samples: Samples,
    *,
    name: str = "own",
    key: str = "",
    lower_is_better: bool = False,
    observer: Observer,
) -> tuple[OwnTask, Checked]:
    """Return the task of the models that have a label and can be run, and what was found of all.

    Args:
        models: a mapping or sequence, see `named_models`.
        accuracies: see `labels_by_name`.
        samples: what they are run on.
        name: begins the name of the task.
        key: stands for the content of the models; empty for a digest of it.
        lower_is_better: whether the numbers are losses or errors.
        observer: called with the progress.

    Raises:
        BenchmarkError: models and accuracies do not fit each other, or too few are left.
    """
    shape = checked_shape(samples.input_shape)
    known = samples.models(named_models(models))
    labels = own_labels(labels_by_name(known, models, accuracies), lower_is_better=lower_is_better)
    collection = Collection({each: known[each] for each in labels})
    checked = check_networks(
        collection,
        list(labels),
        shape,
        samples.classes,
        least=FEWEST,
        progress=lambda done, total: observer.step("building the networks", done, total),
    )
    usable = {each: labels[each] for each in checked.costs}
    check_not_equal(usable)
    task = OwnTask(
        collection,
        usable,
        shape,
        checked.classes,
        name=name,
        data=samples.data,
        loss=samples.loss,
        key=f"{key} {content_of(samples.inputs)}" if key and samples.inputs else key,
        costs=checked.costs,
    )
    return task, checked


def labels_by_name(known: Mapping[str, Any], models: object, accuracies: Any) -> dict[str, Any]:
    """Return the numbers of the models by their names.

    Args:
        known: the models by name.
        models: as the user gave them: names count where these have some.
        accuracies: a number per model: a sequence in their order, a mapping, or a series with an index of names.

    Raises:
        BenchmarkError: they do not fit the models.
    """
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
