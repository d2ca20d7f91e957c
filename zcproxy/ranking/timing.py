"""Time that a proxy takes by itself: a table shares its sweeps, a user who scores with one proxy does not."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor

from zcproxy.columns.context import Context
from zcproxy.columns.sweep import measure_architectures
from zcproxy.formula import Node
from zcproxy.names.tasks import get_task
from zcproxy.proxy.aggregate import Scorer
from zcproxy.proxy.function import FunctionProxy
from zcproxy.proxy.score_file import ScoreFile
from zcproxy.ranking.own_scores import call_on_networks
from zcproxy.ranking.scoring import columns_by_setting, setting_of
from zcproxy.workers.cluster import is_cluster
from zcproxy.workers.jobs import in_order
from zcproxy.workers.pool import feeder

TIMED = 4
"""Networks that each proxy is timed on."""

Job = list[tuple[Context, list[str]]]
"""Contexts and the texts of the columns that are measured in each."""


def seconds_alone(
    scorers: Sequence[Scorer],
    task: str,
    networks: Sequence[str],
    *,
    batch_size: int | None = None,
    device: str = "cpu",
    images: str = "",
    executor: Executor | None = None,
) -> dict[str, float]:
    """Return the mean seconds that each scorer takes for one network, by name: measured now, each in one thread.

    Args:
        scorers: what is timed; scores of a file are left out.
        task: name of the task.
        networks: its networks, of which the first `TIMED` are measured; the column store is left out of it.
        batch_size: samples of the minibatch for all scorers; None for what each asks for.
        device: `cpu` or `cuda`.
        images: token of the images that they are shown; empty for what is at hand.
        executor: None measures in this process, and so does a cluster, whose machines may differ.
    """
    jobs: list[tuple[FunctionProxy | None, Job, tuple[str, ...]]] = []
    timed = [scorer for scorer in scorers if not isinstance(scorer, ScoreFile)]
    for scorer in timed:
        function = scorer if isinstance(scorer, FunctionProxy) else None
        groups = columns_by_setting([scorer], batch_size)
        if function is not None:
            groups[setting_of(function, batch_size)] = []
        job = [
            (Context(get_task(task), size, 0, device, images, rule), _texts(columns))
            for (size, rule), columns in groups.items()
        ]
        jobs.append((function, job, tuple(networks[:TIMED])))
    found = in_order(None if is_cluster(executor) else feeder(executor, device), _mean_seconds, jobs)
    return {scorer.name: seconds for scorer, seconds in zip(timed, found, strict=True)}


def _texts(columns: Sequence[Node]) -> list[str]:
    return [str(column) for column in columns]


def _mean_seconds(function: FunctionProxy | None, job: Job, networks: Sequence[str]) -> float:
    seconds = [
        item.seconds
        for context, texts in job
        for item in (
            measure_architectures(context, networks, texts)
            if function is None
            else call_on_networks(function, context, networks)
        )
    ]
    return sum(seconds) / len(networks)
