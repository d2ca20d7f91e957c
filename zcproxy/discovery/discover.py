"""`zcproxy.discover`: models and accuracies in, a proxy out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from zcproxy.discovery.discovery import Discovery
from zcproxy.discovery.few import Effort, discover_on
from zcproxy.discovery.labelled import labelled_task, samples_of
from zcproxy.discovery.measurable import measurable_task
from zcproxy.evolve.configuration import DEFAULT_PROBES
from zcproxy.evolve.materials import forget_materials
from zcproxy.evolve.observer import Observer, Silent
from zcproxy.probing.own_loss import LossFunction

Model = nn.Module | Callable[[], nn.Module]


def discover(
    models: Mapping[str, Model] | Sequence[Model],
    accuracies: Mapping[str, float] | Sequence[float] | Any,
    *,
    input_shape: Sequence[int] | None = None,
    classes: int | None = None,
    out: Path | str | None = None,
    name: str = "own",
    data: Any = None,
    batch: Any = None,
    targets: Any = None,
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

    Args:
        models: functions that build an untrained network, or untrained modules, by name or in order.
        accuracies: numbers in the same order, or by name (a mapping; a `pandas.Series` whose index is not a count); per
            cent, shares, or others. NaN leaves a network out.
        input_shape: shape of one sample, without the batch; None for that of `data`, where these are arrays, or with
            `batch`.
        classes: number of logits; None for that of the first network.
        out: run directory; `runs/` and the name of the task if None.
        name: begins the name of the task; measured columns are kept under it.
        data: samples for probes that look at them, see `zcproxy.Task.from_frame`, like `loss`.
        batch: what models of several inputs are called with, a tuple or a dictionary of tensors, in place of
            `input_shape` and `data`: see `zcproxy.one_input`. Without `targets` its shapes count, not its values.
        targets: those of the samples of `batch`.
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
            number and can be built, run and measured: a notice names those that cannot.
        ConfigurationError: the device is not available.
        RunError: `out` belongs to another run.

    Example:
        >>> import torch, zcproxy
        >>> from functools import partial
        >>> from torch import nn
        >>> def network(width):
        ...     return nn.Sequential(nn.Conv2d(1, width, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16 * width, 10))
        >>> models = {f"width {width}": partial(network, width) for width in range(2, 18)}
        >>> accuracies = {name: 50 + place for place, name in enumerate(models)}  # of 16 networks, in per cent
        >>> found = zcproxy.discover(models, accuracies, input_shape=(1, 6, 6), generations=1, probes=("noise",))
        >>> found.labels, found.path.name == found.task
        (16, True)
        >>> print(found)  # doctest: +ELLIPSIS
        chosen by 16 labels: ...
        >>> isinstance(found.proxy(network(9), torch.randn(8, 1, 6, 6)), float)
        True
        >>> int(found.to_frame()["chosen"].sum())
        1
        >>> axes = found.plot()
    """
    watching = observer or Silent()
    samples = samples_of(input_shape, classes, data=data, loss=loss, batch=batch, targets=targets)
    task, checked = labelled_task(
        models, accuracies, samples, name=name, key=key, lower_is_better=lower_is_better, observer=watching
    )
    effort = Effort(generations, probes=tuple(probes) if loss else checked.probes(probes), seed=seed)
    task, checked = measurable_task(
        task, checked, effort, workers=workers, device=device, cache=cache, observer=watching
    )
    place = Path("runs") / task.name if out is None else Path(out)
    run = partial(discover_on, workers=workers, device=device, cache=cache, observer=watching)
    try:
        return replace(run(task.name, place, effort, left_out=checked.failed), networks=task)
    finally:
        forget_materials()
