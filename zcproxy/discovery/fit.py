"""One fit of an estimator: few labels are cross-validated, many or those beside families evolve as an ordinary run."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from zcproxy.adapting.expectation import Expectation
from zcproxy.contracts.own_task import OwnTask
from zcproxy.discovery.beside_families import beside_configuration, front_beside
from zcproxy.discovery.few import FEW, Effort, discover_on, few_configuration
from zcproxy.discovery.watching import Watching
from zcproxy.evolve.configuration import Configuration, Limits
from zcproxy.evolve.materials import forget_materials
from zcproxy.evolve.results import Result
from zcproxy.evolve.run import evolve
from zcproxy.names.proxies import load_proxy
from zcproxy.proxy.proxy import Proxy


@dataclass(frozen=True)
class Found:
    """What a fit has found.

    Attributes:
        proxy: that was chosen.
        front: a row per formula.
        expected: tau on other networks; None where the choice was not cross-validated.
        result: of the run on all labels.
        path: the run directory; None where it is not kept.
    """

    proxy: Proxy
    front: pd.DataFrame
    expected: Expectation | None
    result: Result
    path: Path | None


@dataclass(frozen=True)
class Fit:
    """Networks, and how formulas are found for them.

    Attributes:
        task: the labelled networks.
        effort: how hard formulas are looked for.
        families: whose labels count beside these.
        device: `cpu` or `cuda`.
        workers: processes.
        cache: the cache directory; the default one if None.
        watching: called with the progress.
    """

    task: OwnTask
    effort: Effort
    families: tuple[str, ...]
    device: str
    workers: int
    cache: Path | None
    watching: Watching

    def run(self, out: str | os.PathLike[str] | None) -> Found:
        """Find a proxy.

        Args:
            out: the run directory is a folder in it, with a name of its own for each fit; None keeps none.
        """
        labels = len(self.task.architectures("all"))
        is_few = labels <= FEW and not self.families
        if is_few:
            configuration = few_configuration(self.task.name, labels, self.effort, self.device)
        else:
            configuration = beside_configuration(self.task, self.families, self.effort, self.device)
        with ExitStack() as stack:
            parent = stack.enter_context(tempfile.TemporaryDirectory(prefix="zcproxy-")) if out is None else out
            place = Path(parent) / self._folder(configuration)
            path = None if out is None else place
            stack.callback(forget_materials)
            return self._chosen_by_splits(place, path) if is_few else self._evolved(configuration, place, path)

    def _folder(self, configuration: Configuration) -> str:
        """Return a name that tells this fit from others."""
        content = json.dumps([configuration.as_dict(), self.effort.generations], sort_keys=True)
        return f"{self.task.name}-{hashlib.sha256(content.encode()).hexdigest()[:8]}"

    def _chosen_by_splits(self, place: Path, path: Path | None) -> Found:
        found = discover_on(
            self.task.name,
            place,
            self.effort,
            workers=self.workers,
            device=self.device,
            cache=self.cache,
            observer=self.watching,
            watch=self.watching.split,
        )
        return Found(found.proxy, found.to_frame(), found.expected, found.result, path)

    def _evolved(self, configuration: Configuration, place: Path, path: Path | None) -> Found:
        limits = Limits(generations=self.effort.generations)
        result = evolve(configuration, limits, place, workers=self.workers, cache=self.cache, observer=self.watching)
        return Found(load_proxy(place / "best.json"), front_beside(result), None, result, path)
