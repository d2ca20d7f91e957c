"""Builds a benchmark: draws architectures, trains each with every seed, writes the table. A killed build resumes."""

from __future__ import annotations

from concurrent.futures import Executor
from pathlib import Path

from zcproxy.building.configuration import BuildConfiguration
from zcproxy.building.directory import BuildDirectory, Plan
from zcproxy.building.files import write_benchmark
from zcproxy.building.job import Trained, costs_of, materials_of, trained_or_too_large
from zcproxy.building.sampling import draw_architectures
from zcproxy.contracts.dataset import ImageDataset
from zcproxy.contracts.task import SearchSpace
from zcproxy.errors import BenchmarkError
from zcproxy.models.device import check_device
from zcproxy.workers.jobs import as_completed_jobs
from zcproxy.workers.pool import feeder, worker_pool
from zcproxy.workers.progress import Progress


def build_benchmark(
    configuration: BuildConfiguration,
    out: Path,
    *,
    workers: int = 1,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> list[Trained]:
    """Train a sample of architectures into a folder that `get_task` takes, and return what was trained.

    Args:
        configuration: what the table depends on.
        out: the folder; one that holds a part of the same build is continued.
        workers: processes; the table does not depend on it.
        executor: where jobs run in place of `workers` processes: that of a Dask client, for example.
        progress: called after each architecture.

    Raises:
        BenchmarkError: the space has too few architectures, its networks do not fit the dataset, all diverged, or some
            are too large for the device: the others are trained first.
        ConfigurationError: space, dataset or device does not exist, or a minibatch has more images than the dataset.
        RunError: `out` holds something else, or a worker died.
        StorageError: something cannot be written.
    """
    check_device(configuration.device)
    space, dataset = materials_of(
        configuration.space, tuple(configuration.space_options.items()), configuration.dataset
    )
    dataset.check_batch(configuration.recipe.batch_size)
    directory = BuildDirectory(out)
    fingerprint = dataset.fingerprint()
    plan = directory.load_plan(configuration, fingerprint) or _plan(configuration, space, dataset)
    with directory.claimed():
        if directory.load_plan(configuration, fingerprint) is None:
            directory.save_plan(plan)
        with worker_pool(workers, executor) as jobs:
            return _complete(directory, plan, dataset, jobs, progress)


def _plan(configuration: BuildConfiguration, space: SearchSpace, dataset: ImageDataset) -> Plan:
    """Draw the architectures, and check that one fits the dataset."""
    architectures = draw_architectures(
        space,
        configuration.networks,
        configuration.sampling,
        configuration.seed,
        lambda architecture: costs_of(space, architecture, dataset).macs,
    )
    costs_of(space, architectures[0], dataset)
    return Plan(configuration, dataset.fingerprint(), tuple(architectures))


def _complete(
    directory: BuildDirectory, plan: Plan, dataset: ImageDataset, executor: Executor | None, progress: Progress | None
) -> list[Trained]:
    """Train what the journal lacks, and write the benchmark."""
    trained = directory.trained(plan)
    if progress is not None:
        progress(len(trained), len(plan.architectures))
    jobs = [(plan.configuration, name) for name in plan.architectures if name not in trained]
    executor = feeder(executor, plan.configuration.device)
    too_large: list[str] = []
    for _, item in as_completed_jobs(executor, trained_or_too_large, jobs):
        if isinstance(item, str):
            too_large.append(item)
            continue
        directory.append(item)
        trained[item.arch] = item
        if progress is not None:
            progress(len(trained), len(plan.architectures))
    if too_large:
        others = f"{len(trained):,} of {len(plan.architectures):,} networks are trained and kept"
        raise BenchmarkError(f"{too_large[0]} ({others}, {len(too_large):,} are too large)")
    in_order = [trained[architecture] for architecture in plan.architectures]
    if all(training.diverged for item in in_order for training in item.trainings):
        raise BenchmarkError("every training diverged: give a lower `learning_rate`")
    write_benchmark(directory.path, plan, dataset, in_order)
    return in_order
