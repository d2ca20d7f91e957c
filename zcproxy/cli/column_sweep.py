"""The command `zcproxy columns measure`."""

from __future__ import annotations

from functools import partial

import typer

from zcproxy.cli import column_options as options
from zcproxy.cli.cluster import Cluster, cluster_executor
from zcproxy.cli.display import RunDisplay, console
from zcproxy.cli.images import Images
from zcproxy.cli.options import AllowCode, Device, Initialisation, Plugin, Seed, Workers
from zcproxy.cli.ranking_options import Population
from zcproxy.columns.context import Context
from zcproxy.columns.store import ColumnStore
from zcproxy.columns.sweep import sweep_failures
from zcproxy.errors import ModelError
from zcproxy.evolve.configuration import DEFAULT_PROBES
from zcproxy.images.own import import_images
from zcproxy.models.device import check_device
from zcproxy.models.initialisation import OWN, check_rule
from zcproxy.names.tasks import get_task
from zcproxy.storage.cache_directory import default_cache
from zcproxy.workers.interrupt import GOES_ON, advise
from zcproxy.workers.pool import worker_pool


def measure_command(
    context: typer.Context,
    task: options.TaskName,
    networks: options.Networks = None,
    population: Population = "all",
    seed: Seed = 0,
    probes: options.Probes = "",
    column: options.Column = None,
    batch_size: options.BatchSize = 8,
    initialisation: Initialisation = 0,
    rule: options.Rule = OWN,
    images: Images = "",
    workers: Workers = 2,
    cluster: Cluster = "",
    device: Device = "cpu",
    plugin: Plugin = None,
    allow_code: AllowCode = None,
) -> None:
    """Measure columns of all networks of a task into the store, as far as it lacks them; a stopped sweep goes on."""
    check_device(device)
    check_rule(rule)
    columns = options.chosen_columns(probes if probes or column else ",".join(DEFAULT_PROBES), column)
    known = get_task(task)
    drawn = options.chosen_networks(known, networks, population, seed)
    store = ColumnStore(
        default_cache(), Context(known, batch_size, initialisation, device, import_images(images), rule)
    )
    advise(GOES_ON)
    with RunDisplay() as display, cluster_executor(context) as given, worker_pool(workers, given) as executor:
        failed = sweep_failures(
            store, drawn, columns, executor=executor, progress=partial(display.step, f"measuring {task}")
        )
    console.print(
        f"{len(drawn) - len(failed):,} networks, {len(columns)} columns: in {store.folder}",
        soft_wrap=True,
    )
    if failed:
        raise ModelError(f"{len(failed):,} of {len(drawn):,} networks are left out: {next(iter(failed.values()))}")
