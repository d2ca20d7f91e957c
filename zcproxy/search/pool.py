"""The architectures that `robot` ranks, and their scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from zcproxy.contracts.task import Task
from zcproxy.errors import BenchmarkError, ConfigurationError
from zcproxy.random import generator
from zcproxy.search.algorithms.ask_tell import Proposer
from zcproxy.search.algorithms.robot import Pool, scaled_ranks
from zcproxy.search.configuration import EXPENSIVE, SearchConfiguration
from zcproxy.search.quantities.combined import scores_of
from zcproxy.search.quantities.networks import NetworkMeasurer
from zcproxy.search.quantities.sources import is_task
from zcproxy.workers.progress import Step

Array = NDArray[np.float64]

FIRST_CHUNK, CHUNK = 8, 64
"""Architectures that are scored between two reports of progress: few at first, so that an estimate is soon there."""


def draw_pool(configuration: SearchConfiguration, measurer: NetworkMeasurer) -> tuple[str, ...]:
    """Return the architectures to rank: all of them, or as many as the configuration says, drawn uniformly.

    Of a task, those with a label are drawn; with bit widths, as many as the configuration says.

    Raises:
        ConfigurationError: there are fewer than are to be measured.
    """
    subject = measurer.subject
    if configuration.setting.quantisation.is_on:
        rng = generator("candidates", subject.space.name, configuration.seed)
        return tuple(Proposer(measurer.space, rng, set()).fresh(configuration.candidates))
    labelled = cast(Task, subject).architectures("all") if is_task(subject) else None
    size = subject.space.size if labelled is None else len(labelled)
    queries, count = configuration.evaluations, configuration.candidates
    if queries > size:
        raise ConfigurationError(
            f"evaluations={queries} is more than the {size:,} architectures of {subject.name}: ask for {size} or fewer"
        )
    if count >= size:
        return tuple(subject.space.enumerate()) if labelled is None else tuple(labelled)
    rng = generator("candidates", subject.space.name, configuration.seed)
    if labelled is None:
        return tuple(Proposer(subject.space, rng, set()).fresh(count))
    return tuple(rng.sample(labelled, count))


def scored_pool(
    configuration: SearchConfiguration,
    architectures: Sequence[str],
    measure: Callable[[Sequence[str], Sequence[str]], Mapping[str, Array]],
    step: Step,
) -> Pool:
    """Return the architectures within the bounds that are cheap to measure, with the ranks of their scores.

    Args:
        configuration: which proxies, and which bounds.
        architectures: what is ranked.
        measure: returns quantities, given architectures and names.
        step: called with the progress.

    Raises:
        BenchmarkError: none is within the bounds.
    """
    proxies = configuration.setting.proxies
    limits = tuple(limit for limit in configuration.limits if limit.name not in EXPENSIVE)
    within: list[str] = []
    for chunk in _chunks(architectures):
        costs = measure(chunk, [limit.name for limit in limits])
        within += [
            text
            for place, text in enumerate(chunk)
            if not any(limit.excess(float(costs[limit.name][place])) for limit in limits)
        ]
    if not within:
        bounds = " and ".join(limit.text for limit in limits)
        raise BenchmarkError(f"none of the {len(architectures):,} candidates has {bounds}: give more `candidates`")
    names = [name for each in proxies for name in each.quantities]
    parts: list[Mapping[str, Array]] = []
    done = 0
    step("scoring candidates", done, len(within))
    for chunk in _chunks(within):
        parts.append(measure(chunk, names))
        done += len(chunk)
        step("scoring candidates", done, len(within))
    values = {name: np.concatenate([part[name] for part in parts]) for name in names}
    return Pool(tuple(within), scaled_ranks(scores_of(proxies, values)))


def _chunks(architectures: Sequence[str]) -> Iterator[Sequence[str]]:
    start, count = 0, FIRST_CHUNK
    while start < len(architectures):
        yield architectures[start : start + count]
        start, count = start + count, min(2 * count, CHUNK)
