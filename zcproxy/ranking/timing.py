"""Time that a proxy takes by itself: a table shares its sweeps, a user who scores with one proxy does not."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor

from zcproxy.columns.context import Context
from zcproxy.columns.sweep import measure_architectures
from zcproxy.formula import Node
from zcproxy.names.tasks import get_task
from zcproxy.proxy.aggregate import Scorer
from zcproxy.ranking.scoring import columns_by_setting
from zcproxy.workers.jobs import in_order

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
        scorers: proxies and aggregates.
        task: name of the task.
        networks: its networks, of which the first `TIMED` are measured; the column store is left out of it.
        batch_size: samples of the minibatch for all scorers; None for what each asks for.
        device: `cpu` or `cuda`.
        images: token of the images that they are shown; empty for what is at hand.
        executor: None measures in this process.
    """
    jobs: list[Job] = []
    for scorer in scorers:
        groups = columns_by_setting([scorer], batch_size).items()
        jobs.append(
            [
                (Context(get_task(task), size, 0, device, images, rule), _texts(columns))
                for (size, rule), columns in groups
            ]
        )
    found = in_order(executor, _mean_seconds, [(job, tuple(networks[:TIMED])) for job in jobs])
    return {scorer.name: seconds for scorer, seconds in zip(scorers, found, strict=True)}


def _texts(columns: Sequence[Node]) -> list[str]:
    return [str(column) for column in columns]


def _mean_seconds(job: Job, networks: Sequence[str]) -> float:
    measured = [item for context, texts in job for item in measure_architectures(context, networks, texts)]
    return sum(item.seconds for item in measured) / len(networks)
