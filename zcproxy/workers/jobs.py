"""The one way to run jobs: here, one after another, or in an executor, under what is permitted and loaded here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, as_completed
from functools import partial
from typing import Any, ParamSpec, TypeVar

from zcproxy.user_code.border import own_failures
from zcproxy.user_code.permission import Scope, current_scope, entered
from zcproxy.user_code.plugins import Plugin, execute_all, loaded_plugins

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def in_order(
    executor: Executor | None, function: Callable[..., Result], jobs: Sequence[tuple[Any, ...]]
) -> Iterator[Result]:
    """Yield the result of each job in the order of the jobs.

    Args:
        executor: where they run; None for this process, each when its result is asked for.
        function: what a job runs.
        jobs: its arguments.
    """
    if executor is None:
        for arguments in jobs:
            yield function(*arguments)
        return
    for future in [executor.submit(carried(function), *arguments) for arguments in jobs]:
        yield future.result()


def as_completed_jobs(
    executor: Executor | None, function: Callable[..., Result], jobs: Sequence[tuple[Any, ...]]
) -> Iterator[tuple[int, Result]]:
    """Yield the index and the result of each job as soon as it is known; arguments as those of `in_order`."""
    if executor is None:
        yield from enumerate(in_order(None, function, jobs))
        return
    futures = {executor.submit(carried(function), *arguments): index for index, arguments in enumerate(jobs)}
    for future in as_completed(futures):
        yield futures[future], future.result()


def carried(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Return a job for any executor: the function, under what is permitted and with the plugins that are loaded now."""
    return partial(_call, function, current_scope(), loaded_plugins())


def _call(
    function: Callable[Parameters, Result],
    scope: Scope,
    plugins: tuple[Plugin, ...],
    *args: Parameters.args,
    **kwargs: Parameters.kwargs,
) -> Result:
    with entered(scope), own_failures():
        execute_all(plugins)
        return function(*args, **kwargs)
