"""Description of a benchmark: everything that names, commands and searches read of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from zcproxy.benchmarks.shared.official import Release
from zcproxy.contracts.measurements import Measurements
from zcproxy.contracts.super_network import SuperNetwork
from zcproxy.contracts.task import SearchSpace, Task
from zcproxy.errors import ConfigurationError


@dataclass(frozen=True)
class Benchmark:
    """One benchmark: a folder of `zcproxy.benchmarks` with a file `benchmark.py` that holds it as `BENCHMARK`.

    Attributes:
        name: name of the benchmark, and of its folder in the data directory.
        datasets: its tasks, named `NAME/DATASET`; an empty name stands for a task called `NAME`.
        load_task: returns the task of a dataset, `(dataset)`, or `(dataset, side)` where its images may have any size.
        sized: the datasets whose images may have any size.
        families: for each family of networks that are alike, its datasets that evolution learns from.
        set_aside: those of the families that judge a finished method: evolution takes them only where that is
            confirmed, so that nothing is chosen by their labels.
        spaces: makes a search space, by the name that users write.
        measurements: returns what was published of the networks of a space besides labels, by the name of the space.
        super_networks: makes a super-network, by the name that users write.
        release: the published files; None where nothing is published, or everything is part of the package.
    """

    name: str
    datasets: tuple[str, ...] = ()
    load_task: Callable[..., Task] | None = None
    sized: tuple[str, ...] = ()
    families: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    set_aside: frozenset[str] = frozenset()
    spaces: Mapping[str, Callable[..., SearchSpace]] = field(default_factory=dict)
    measurements: Mapping[str, Callable[[], Measurements]] = field(default_factory=dict)
    super_networks: Mapping[str, Callable[[], SuperNetwork]] = field(default_factory=dict)
    release: Release | None = None

    @property
    def is_embedded(self) -> bool:
        """Whether its labels are part of the package: it has tasks, and nothing that is published."""
        return bool(self.datasets) and self.release is None

    def task_name(self, dataset: str) -> str:
        """Return how users write the task of a dataset."""
        return f"{self.name}/{dataset}" if dataset else self.name

    def task(self, dataset: str, side: int | None = None) -> Task:
        """Return the task of a dataset.

        Args:
            dataset: one of `datasets`.
            side: height and width of the images instead of the usual ones.

        Raises:
            ConfigurationError: a size is given, and the images have one size.
        """
        if self.load_task is None:
            raise ConfigurationError(f"{self.name} has no tasks: name one of its spaces")
        if side is None:
            return self.load_task(dataset)
        if dataset not in self.sized:
            raise ConfigurationError(f"{self.task_name(dataset)} has images of one size: leave out '@{side}'")
        return self.load_task(dataset, side)
