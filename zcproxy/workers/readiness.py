"""What a worker of a cluster has to be, and is made: checked when it joins, by Dask's own way to extend a worker."""

from __future__ import annotations

import random
import sys

import torch
from distributed import Worker, WorkerPlugin

from zcproxy.errors import ConfigurationError
from zcproxy.workers.versions import versions

OF_WORKERS = ("dask", "distributed", "tornado", "zict")
"""Packages that a worker runs beside its job."""


class Readiness(WorkerPlugin):
    """Refuses workers of other versions, or that run jobs beside each other, and makes the others compute as a process.

    A job lends the global random state to an island, so no two run in one process, and what a worker does beside its
    job draws from a generator of its own.
    """

    name = "zcproxy"

    def __init__(self) -> None:
        self._versions = versions()

    def setup(self, worker: Worker) -> None:
        """Check and set up a worker. Raises `ConfigurationError`."""
        if worker.state.nthreads != 1:
            raise ConfigurationError(
                f"the worker {worker.address} runs {worker.state.nthreads} jobs at once in one process: start it with "
                "`--nthreads 1`, and with `--nworkers` for several"
            )
        here = versions()
        for name, wanted in self._versions.items():
            if here[name] != wanted:
                raise ConfigurationError(
                    f"the worker {worker.address} has {name} {here[name]}, the one who asks {wanted}: install the same "
                    "on all machines"
                )
        torch.set_num_threads(1)
        for name, module in list(sys.modules.items()):
            if name.partition(".")[0] in OF_WORKERS and getattr(module, "random", None) is random:
                module.random = random.Random()  # type: ignore[attr-defined]
