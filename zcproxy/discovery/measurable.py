"""Networks that can be built and run, but not measured: they are named and left out, before any formula evolves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from zcproxy.building.checking import Checked
from zcproxy.building.from_table import check_not_equal
from zcproxy.columns.store import ColumnStore
from zcproxy.columns.sweep import sweep_failures
from zcproxy.contracts.own_labels import named_networks
from zcproxy.contracts.own_task import OwnTask
from zcproxy.discovery.few import FEWEST, Effort, context_of, few_configuration, needed_columns
from zcproxy.errors import BenchmarkError
from zcproxy.evolve.observer import Observer
from zcproxy.models.device import check_device
from zcproxy.storage.cache_directory import default_cache
from zcproxy.storage.notices import notice
from zcproxy.workers.pool import worker_pool


def measurable_task(
    task: OwnTask,
    checked: Checked,
    effort: Effort,
    *,
    workers: int,
    device: str,
    cache: Path | None,
    observer: Observer,
) -> tuple[OwnTask, Checked]:
    """Measure all columns of the networks of a task, and return the task of those that can be measured.

    What is measured is kept in the store: nothing is measured twice.

    Args:
        task: networks with labels.
        checked: what was found of them before.
        effort: how hard formulas are looked for.
        workers: processes.
        device: `cpu` or `cuda`.
        cache: the cache directory; the default one if None.
        observer: called with the progress.

    Returns:
        The task, and what is known of its networks: those left out are among `failed`.

    Raises:
        ConfigurationError: the device is not available.
        BenchmarkError: fewer than `FEWEST` networks are left, or those left have equal labels.
    """
    check_device(device)
    names = list(task.architectures("all"))
    configuration = few_configuration(task.name, len(names), effort, device)
    store = ColumnStore(cache or default_cache(), context_of(task, configuration))
    with worker_pool(workers) as executor:
        failed = sweep_failures(
            store,
            names,
            needed_columns(configuration),
            executor=executor,
            progress=lambda done, total: observer.step(f"measuring {task.name}", done, total),
        )
    if not failed:
        return task, checked
    reason, left = next(iter(failed.values())), len(names) - len(failed)
    if left < FEWEST:
        raise BenchmarkError(f"{left} of {len(names)} networks can be measured, {FEWEST} are needed; {reason}")
    rest = task.without(failed)
    known = rest.architectures("all")
    check_not_equal(dict(zip(known, rest.labels(known).tolist(), strict=True)))
    notice(f"left out, {left} networks are left: {named_networks(list(failed))}: {reason}")
    costs = {name: cost for name, cost in checked.costs.items() if name not in failed}
    return rest, replace(checked, costs=costs, failed={**checked.failed, **failed})
