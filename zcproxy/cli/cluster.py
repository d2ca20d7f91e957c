"""The option `--cluster`: where jobs run in place of processes of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Annotated

import typer

from zcproxy.cli.resume import typed
from zcproxy.errors import ConfigurationError
from zcproxy.workers.cluster import cluster

Cluster = Annotated[
    str,
    typer.Option(
        metavar="ADDRESS",
        help="Dask cluster that jobs run on: tcp://HOST:PORT of a scheduler, its file, or local:N; the result does not "
        "depend on it.",
    ),
]


@contextmanager
def cluster_executor(context: typer.Context) -> Iterator[Executor | None]:
    """Yield an executor of the cluster that a command names; None where it names none.

    Raises:
        ConfigurationError: `--workers` is given beside it, or as `zcproxy.workers.cluster.cluster`.
    """
    address = context.params["cluster"]
    if not address:
        yield None
        return
    if "workers" in typed(context):
        raise ConfigurationError(f"--workers with --cluster {address}: the cluster has its own; give one of the two")
    with cluster(address) as executor:
        yield executor
