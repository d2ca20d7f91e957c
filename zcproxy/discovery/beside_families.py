"""Evolution on the networks of a user, beside the families of benchmarks whose labels count too."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import pandas as pd

from zcproxy.contracts.own_task import OwnTask
from zcproxy.discovery.contenders import general_proxies
from zcproxy.discovery.few import Effort
from zcproxy.evolve.configuration import Configuration
from zcproxy.evolve.results import Result
from zcproxy.names.families import tasks_by_goal
from zcproxy.names.tasks import get_task
from zcproxy.storage.notices import notice

FAMILIES_TAU = "families_tau"
"""The column of a front with the mean tau on the tasks of families, all of their labels that took part."""


def beside_configuration(task: OwnTask, families: Sequence[str], effort: Effort, device: str) -> Configuration:
    """Return how formulas evolve on a user's networks and on families: each family is one goal, they are another.

    All goals have as many networks as the smallest: a notice says where labels of the user are left out.

    Raises:
        BenchmarkError, ConfigurationError: a name stands for no family or task, see `zcproxy.names.families`.
    """
    own = len(task.architectures("all"))
    goals = tasks_by_goal(families)
    sizes = {name: len(get_task(name).architectures("all")) for name in goals}
    smallest = min(sizes, key=lambda name: sizes[name], default=None)
    networks = own if smallest is None else min(own, sizes[smallest])
    if networks < own:
        notice(f"{networks} of your {own} networks take part: {smallest} has no more")
    general = general_proxies()
    return Configuration(
        (task.name, *goals),
        networks=networks,
        goals=(task.name, *goals.values()),
        seed=effort.seed,
        test_networks=0,
        probes=effort.probes,
        batch_size=general[0].batch_size,
        device=device,
        maximum_size=effort.maximum_size,
        islands=effort.islands,
        island_size=effort.island_size,
        start_from=tuple(str(proxy.formula) for proxy in general if proxy.formula.size <= effort.maximum_size),
    )


def front_beside(result: Result) -> pd.DataFrame:
    """Return the front with the taus on the user's networks, the first task, and the mean of the others beside it."""
    front = result.to_frame()
    items = {str(item.formula): item for item in result.hall}
    shown = [items[formula] for formula in front["formula"]]
    front["training_tau"] = [item.training.correlations[0] for item in shown]
    front["validation_tau"] = [item.validation.correlations[0] for item in shown]
    if len(result.chosen.training.correlations) > 1:
        front[FAMILIES_TAU] = [fmean(item.labelled.correlations[1:]) for item in shown]
    return front
