"""The one way to run jobs: here, one after another, or in an executor, under what is permitted and loaded here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, as_completed
from contextlib import contextmanager
from functools import partial
from typing import Any, ParamSpec, TypeVar

from zcproxy.errors import RunError
from zcproxy.user_code.border import own_failures
from zcproxy.user_code.chosen_teacher import chosen_teacher, teaching
from zcproxy.user_code.permission import Scope, current_scope, entered
from zcproxy.user_code.plugins import Plugin, execute_all, loaded_plugins
from zcproxy.workers.cluster import deaths
from zcproxy.workers.pool import single_threaded

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def in_order(
    executor: Executor | None,
    function: Callable[..., Result],
    jobs: Sequence[tuple[Any, ...]],
    named: Callable[..., str] | None = None,
) -> Iterator[Result]:
    """Yield the result of each job in the order of the jobs.

    Args:
        executor: where they run; None for this process, each when its result is asked for.
        function: what a job runs.
        jobs: its arguments.
        named: returns what a job does, of its arguments, for messages; the name of the function if None.

    Raises:
        RunError: a job ended one worker of a cluster after another.
    """
    if executor is None:
        for arguments in jobs:
            yield function(*arguments)
        return
    futures = [executor.submit(carried(function), *arguments) for arguments in jobs]
    for future, arguments in zip(futures, jobs, strict=True):
        with _named(function, arguments, named):
            result = future.result()
        yield result


def as_completed_jobs(
    executor: Executor | None,
    function: Callable[..., Result],
    jobs: Sequence[tuple[Any, ...]],
    named: Callable[..., str] | None = None,
) -> Iterator[tuple[int, Result]]:
    """Yield the index and the result of each job as soon as it is known; arguments and errors as of `in_order`."""
    if executor is None:
        yield from enumerate(in_order(None, function, jobs))
        return
    futures = {executor.submit(carried(function), *arguments): index for index, arguments in enumerate(jobs)}
    for future in as_completed(list(futures)):
        index = futures.pop(future)
        with _named(function, jobs[index], named):
            result = future.result()
        del future  # it holds the result: those of all jobs would stay in memory
        yield index, result


@contextmanager
def _named(
    function: Callable[..., Any], arguments: tuple[Any, ...], named: Callable[..., str] | None
) -> Iterator[None]:
    """Name the job that ended one worker after another."""
    try:
        yield
    except deaths() as error:
        job = function.__name__ if named is None else named(*arguments)
        raise RunError(
            f"{job} ended every worker of the cluster that tried it, probably for lack of memory: give workers more, "
            "or leave it out; what is done is kept"
        ) from error


def carried(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Return a job for any executor: the function, under what is permitted, with the plugins and the teacher of now."""
    return partial(_call, function, current_scope(), loaded_plugins(), chosen_teacher())


def _call(
    function: Callable[Parameters, Result],
    scope: Scope,
    plugins: tuple[Plugin, ...],
    teacher: str,
    *args: Parameters.args,
    **kwargs: Parameters.kwargs,
) -> Result:
    with entered(scope), teaching(teacher), own_failures(), single_threaded():
        execute_all(plugins)
        return function(*args, **kwargs)
