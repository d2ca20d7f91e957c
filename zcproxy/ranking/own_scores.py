"""Scores of networks by a function of the user, or from a file: what no column of the store holds."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from zcproxy.columns.context import Context
from zcproxy.columns.sweep import CHUNK, single_threaded
from zcproxy.contracts.task import SearchSpace
from zcproxy.errors import BenchmarkError, ModelError
from zcproxy.images.minibatch import minibatch
from zcproxy.models.untrained import untrained
from zcproxy.probing.isolation import own_state
from zcproxy.proxy.function import FunctionProxy
from zcproxy.proxy.score_file import LONGEST_NAME, ScoreFile, by_architecture
from zcproxy.random import derive_seed
from zcproxy.text.visible import shortened
from zcproxy.workers.jobs import as_completed_jobs
from zcproxy.workers.pool import dead_workers_reported, feeder
from zcproxy.workers.progress import Progress


@dataclass(frozen=True)
class OwnScores:
    """Scores that are not of a formula.

    Attributes:
        values: one per network; NaN where there is none.
        seconds: what computing each took; 0 for those of a file.
        remark: a sentence on networks without a score; empty where all have one.
    """

    values: NDArray[np.float64]
    seconds: NDArray[np.float64]
    remark: str = ""


def scores_of_function(
    proxy: FunctionProxy,
    context: Context,
    architectures: Sequence[str],
    *,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> OwnScores:
    """Return what a function makes of networks; one that it fails for has no score.

    Args:
        proxy: the function.
        context: task, batch size, initialisation, device and images.
        architectures: canonical texts.
        executor: where it runs; None for this process.
        progress: called after each chunk of networks.

    Raises:
        ConfigurationError: the function is not found.
        RunError: a worker process died.
    """
    starts = range(0, len(architectures), CHUNK)
    jobs = [(proxy, context, tuple(architectures[start : start + CHUNK])) for start in starts]
    values, seconds = np.full(len(architectures), math.nan), np.zeros(len(architectures))
    failures: dict[int, str] = {}
    done = 0
    if progress is not None:
        progress(done, len(architectures))
    with dead_workers_reported():
        for index, scored in as_completed_jobs(feeder(executor, context.device), call_on_networks, jobs):
            for place, one in enumerate(scored, starts[index]):
                values[place], seconds[place] = one.value, one.seconds
                if one.failure:
                    failures[place] = one.failure
            done += len(scored)
            if progress is not None:
                progress(done, len(architectures))
    if not failures:
        return OwnScores(values, seconds)
    first = min(failures)
    named = shortened(architectures[first], LONGEST_NAME)
    return OwnScores(
        values,
        seconds,
        f"{proxy.name} has no score for {len(failures):,} of {len(architectures):,} networks, which rank last; of the "
        f"first, {named}: {failures[first]}.",
    )


@dataclass(frozen=True)
class Scored:
    """What a function made of one network: its score, the seconds it took, and why it has none; empty where it has."""

    value: float
    seconds: float
    failure: str = ""


def call_on_networks(proxy: FunctionProxy, context: Context, architectures: Sequence[str]) -> list[Scored]:
    """Call a function on fresh networks of a task, each with a copy of the minibatch; the job that a worker runs."""
    batch = minibatch(context.task, context.batch_size, context.images)
    found = []
    with single_threaded(), own_state(torch.device(context.device)):
        for architecture in architectures:
            network = untrained(
                context.task.build, context.task.space.name, architecture, context.initialisation, context.rule
            ).to(context.device)
            inputs, targets = (each.clone().to(context.device) for each in (batch.inputs, batch.targets))
            torch.manual_seed(derive_seed("function", proxy.reference, architecture, context.initialisation))
            started = time.perf_counter()
            try:
                value, failure = proxy(network, inputs, targets), ""
            except ModelError as error:
                value, failure = math.nan, str(error)
            found.append(Scored(value, time.perf_counter() - started, failure))
    return found


def scores_of_file(scores: ScoreFile, space: SearchSpace, architectures: Sequence[str]) -> OwnScores:
    """Return the scores that a file has of networks.

    Args:
        scores: what it holds.
        space: space of the networks, which reads their texts.
        architectures: canonical texts.

    Raises:
        BenchmarkError: it has a text that is none of the space, two of one architecture, or none of these networks.
    """
    known = by_architecture(scores, space)
    missing = [architecture for architecture in architectures if architecture not in known]
    if len(missing) == len(architectures):
        raise BenchmarkError(f"{scores.path} scores none of these {len(architectures):,} networks")
    values = np.array([known.get(architecture, math.nan) for architecture in architectures])
    seconds = np.zeros(len(architectures))
    if not missing:
        return OwnScores(values, seconds)
    return OwnScores(
        values,
        seconds,
        f"{scores.path} lacks {len(missing):,} of these {len(architectures):,} networks, which rank last; the first is "
        f"{shortened(missing[0], LONGEST_NAME)}.",
    )
