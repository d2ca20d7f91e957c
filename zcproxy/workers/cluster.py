"""Jobs on a Dask cluster: a scheduler that runs somewhere, or one of this machine. Dask schedules, retries and sends.

A worker needs zcproxy and the packages it computes with, in the versions of the one who asks, and one thread. It needs
no file: what jobs read is sent to it, and what they measure is sent back.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from zcproxy.errors import ConfigurationError, StorageError
from zcproxy.extras import extra
from zcproxy.storage.files import read_small_file
from zcproxy.text.visible import shortened

Value = TypeVar("Value")

LOCAL = re.compile(r"local:([1-9]\d{0,2})")
"""A cluster of so many processes of this machine."""
ADDRESS = re.compile(r"(?:tcp://)?(?P<host>[\w.-]+|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})")
SECONDS_TO_CONNECT = 8
_MISREAD = (MemoryError, ValueError, TypeError, struct.error)
"""Exceptions of Dask where it takes the answer of another kind of server for its own."""
LARGEST_FILE = 1_000_000
"""Bytes of the file of a scheduler."""


@contextmanager
def cluster(address: str) -> Iterator[Executor]:
    """Yield an executor whose jobs run on a Dask cluster.

    Args:
        address: `tcp://HOST:PORT` of a scheduler, the path of the file that a scheduler writes, or `local:N` for N
            processes of this machine.

    Raises:
        ConfigurationError: no scheduler answers, it has no workers, or a worker is not fit: see `prepare`.
    """
    with extra("cluster", f"the cluster {address}"):
        from distributed import Client
    with _scheduler(address) as place, Client(place, timeout=SECONDS_TO_CONNECT, set_as_default=False) as client:
        executor = client.get_executor(pure=False)
        prepare(executor)
        yield executor


@contextmanager
def _scheduler(address: str) -> Iterator[Any]:
    """Yield the address of the scheduler, or one of this machine, which ends with the block."""
    local = LOCAL.fullmatch(address)
    if local is None:
        yield _answering(_address_in(Path(address)) if Path(address).is_file() else address)
        return
    import dask
    from distributed import LocalCluster

    own = LocalCluster(n_workers=int(local[1]), threads_per_worker=1, dashboard_address=":0", silence_logs="CRITICAL")
    with dask.config.set(KEEPS_LOST_WORKERS), own as started:
        yield started


def _answering(address: str) -> str:
    """Return an address that a Dask process answers at: a client would try for long, and close for longer."""
    known = ADDRESS.fullmatch(address)
    if known is None and address.endswith(".json"):
        raise ConfigurationError(
            f"there is no file {shortened(address, 100)!r}: `dask scheduler --scheduler-file` writes it when it starts"
        )
    if known is None or known["host"] == "local":
        raise ConfigurationError(
            f"'{shortened(address, 100)}' is no cluster: give tcp://HOST:PORT of a Dask scheduler, the file that it "
            "writes, or local:N for N processes of this machine"
        )
    try:
        socket.create_connection((known["host"].strip("[]"), int(known["port"])), SECONDS_TO_CONNECT).close()
        asyncio.run(_greet(address if "://" in address else f"tcp://{address}"))
    except (OSError, OverflowError, *_MISREAD) as error:
        reason = shortened(str(error), 200) or "what is there is silent"
        raise ConfigurationError(
            f"no Dask scheduler answers at {address} ({reason}): check the address, and that a scheduler runs there"
        ) from error
    return address


async def _greet(address: str) -> None:
    """Exchange the first messages of Dask. Raises `OSError`."""
    from distributed.comm.core import connect

    comm = await asyncio.wait_for(connect(address, timeout=SECONDS_TO_CONNECT), SECONDS_TO_CONNECT)
    await comm.close()


def _address_in(file: Path) -> str:
    """Return the address in the file of a scheduler."""
    try:
        address = json.loads(read_small_file(file, LARGEST_FILE))["address"]
    except (StorageError, OSError, ValueError, TypeError, KeyError) as error:
        raise ConfigurationError(
            f"{file} is not what `dask scheduler --scheduler-file` writes: it has no address"
        ) from error
    return str(address)


KEEPS_LOST_WORKERS = {"distributed.deploy.lost-worker-timeout": "1h"}
"""Setting of Dask by which a cluster of this machine waits for a worker that died to be replaced.

By default one that is being replaced some seconds after another death is given up for good.
"""


def is_cluster(executor: Executor | None) -> bool:
    """Return whether jobs of an executor run on a Dask cluster: it comes from `Client.get_executor`."""
    return type(executor).__module__.partition(".")[0] == "distributed"


def prepare(executor: Executor) -> None:
    """Check that the workers of a cluster are fit, now and whenever one joins; see `zcproxy.workers.readiness`.

    Raises:
        ConfigurationError: there is no worker, or one is not fit.
    """
    from zcproxy.workers.readiness import Readiness

    client = client_of(executor)
    try:
        client.wait_for_workers(1, timeout=SECONDS_TO_CONNECT)
    except TimeoutError as error:
        raise ConfigurationError(
            f"the Dask scheduler at {client.scheduler.address} has no worker after {SECONDS_TO_CONNECT} s: start some "
            f"with `dask worker {client.scheduler.address} --nthreads 1`"
        ) from error
    try:
        client.register_plugin(Readiness())
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"a worker of the cluster has no {error.name}: install what is installed here on all machines"
        ) from error


def client_of(executor: Any) -> Any:
    """Return the client of an executor that comes from one."""
    return executor._client


def sent_once(executor: Executor | None, value: Value) -> Value:
    """Return what stands for a large argument of many jobs: on a cluster a task with the value, sent once to a worker.

    Dask makes it again where the workers that had it are gone.
    """
    if not is_cluster(executor):
        return value
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sending large graph", UserWarning)  # once, as it has to be
        return client_of(executor).submit(_given, value, pure=False)


def _given(value: Value) -> Value:
    return value


def deaths() -> tuple[type[Exception], ...]:
    """Return what futures raise where workers died: none can where Dask was not asked for."""
    if "distributed" not in sys.modules:
        return ()
    from distributed.scheduler import KilledWorker

    return (KilledWorker,)
