"""Worker processes: each with one torch thread, none left behind by a command that is stopped or killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any

import torch

from zcproxy.errors import RunError
from zcproxy.workers.cluster import is_cluster, prepare
from zcproxy.workers.interrupt import held


class _Worker(SpawnProcess):
    """A process that no Ctrl-C reaches, not even while it imports: the parent gets it too, and ends its workers."""

    def start(self) -> None:
        """Start with SIGINT blocked, which a process inherits."""
        with held():
            if not hasattr(signal, "pthread_sigmask"):  # Windows
                super().start()
                return
            resource_tracker.ensure_running()  # its start would unblock the signal
            mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                super().start()
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)


class _Context(SpawnContext):
    """Makes workers and remembers them."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[_Worker] = []

    def Process(self, *arguments: Any, **options: Any) -> _Worker:  # type: ignore[override]  # noqa: N802
        """Return a worker that has not started."""
        self.made.append(_Worker(*arguments, **options))
        return self.made[-1]


@contextmanager
def worker_pool(workers: int, executor: Executor | None = None) -> Iterator[Executor | None]:
    """Yield an executor of `workers` processes, each with one torch thread; None for one worker: this process.

    An exception ends the processes at once, whatever they are doing.

    Args:
        workers: processes.
        executor: of the user, which is yielded instead: of a Dask client, for example.

    Raises:
        ConfigurationError: a worker of the user's cluster is not fit.
        RunError: a worker process died.
    """
    if executor is not None:
        if is_cluster(executor):
            prepare(executor)
        with dead_workers_reported():
            yield executor
        return
    if workers == 1:
        yield None
        return
    context = _Context()
    pool = ProcessPoolExecutor(workers, context, initializer=_start_worker)
    try:
        with dead_workers_reported():
            yield pool
    except BaseException:
        for worker in context.made:
            with suppress(ValueError):  # closed
                if worker.pid is not None:
                    worker.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def feeder(executor: Executor | None, device: str) -> Executor | None:
    """Return where jobs that compute on a device run: one process feeds a GPU, and workers of a cluster feed theirs.

    Processes of one machine would each hold a copy of what a GPU needs to start, and wait for each other.
    """
    return executor if device == "cpu" or is_cluster(executor) else None


@contextmanager
def dead_workers_reported() -> Iterator[None]:
    """Raise `RunError` where a worker process died, or a cluster went away."""
    try:
        yield
    except BrokenProcessPool as error:
        raise RunError("a worker process died, probably for lack of memory: use fewer `workers`") from error
    except CancelledError as error:
        raise RunError("the cluster went away, or its scheduler was restarted: what is done is kept") from error


@contextmanager
def single_threaded() -> Iterator[None]:
    """Let torch compute on one thread: sums then have one order, and processes do not compete for cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _start_worker() -> None:
    """Compute on one thread, and end when the parent does: a killed run leaves no process behind."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
