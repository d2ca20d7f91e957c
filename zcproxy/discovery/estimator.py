"""`zcproxy.ProxySearch`: `discover` and `evolve` as an estimator in the habit of scikit-learn."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zcproxy.adapting.expectation import Expectation
from zcproxy.building.checking import Checked, check_networks
from zcproxy.columns.context import Context
from zcproxy.columns.store import ColumnStore
from zcproxy.columns.sweep import sweep_failures, sweep_into
from zcproxy.contracts.own_labels import named_networks, own_labels
from zcproxy.contracts.own_models import Collection
from zcproxy.correlation import kendall_tau
from zcproxy.discovery.arguments import families_of, labels_in_order, seed_of, whole, workers_of
from zcproxy.discovery.few import FEW, Effort
from zcproxy.discovery.fit import Fit
from zcproxy.discovery.labelled import labelled_task, labels_by_name, samples_of
from zcproxy.discovery.measurable import measurable_task
from zcproxy.discovery.own_names import named_by_content
from zcproxy.discovery.parameters import Parameters, check_fitted, is_plain
from zcproxy.discovery.watching import Callback, Epoch, Watching
from zcproxy.errors import BenchmarkError
from zcproxy.evolve.configuration import DEFAULT_PROBES
from zcproxy.evolve.results import Result
from zcproxy.formula.evaluate import Evaluator
from zcproxy.images.minibatch import images_of
from zcproxy.probing.own_loss import LossFunction
from zcproxy.proxy.proxy import Proxy
from zcproxy.storage.cache_directory import default_cache
from zcproxy.storage.notices import notice
from zcproxy.workers.pool import worker_pool

Array = NDArray[np.float64]

COUNTS = ("generations", "islands", "island_size", "maximum_size")
"""Arguments that are whole numbers above 0."""


class ProxySearch(Parameters):
    """Finds a proxy by networks with labels, and ranks other networks by it. Nothing is trained.

    Up to 200 labels the formula is chosen by networks left out, as `zcproxy.discover` does; with more, or beside
    `families`, by a quarter of the networks, as `zcproxy.evolve` does. The interface is that of scikit-learn, which
    need not be installed: instances can be cloned, and passed to `cross_val_score` with a list of models.

        >>> import zcproxy
        >>> from functools import partial
        >>> from torch import nn
        >>> def network(width):
        ...     return nn.Sequential(nn.Conv2d(1, width, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16 * width, 10))
        >>> models = [partial(network, width) for width in range(2, 18)]
        >>> search = zcproxy.ProxySearch(generations=1, input_shape=(1, 6, 6), probes=("noise",), random_state=0)
        >>> search = search.fit(models, [50 + place for place in range(16)])
        >>> int(search.front_["chosen"].sum())
        1
        >>> search.predict([partial(network, 30)]).shape
        (1,)

    Args:
        generations: of every island.
        families: benchmarks or families of them, such as `embedded`, whose labels count beside yours: a formula is then
            to rank the networks of each as well.
        input_shape: shape of one sample, without the batch; None for that of `data`, where these are arrays.
        classes: number of logits; None for that of the first network.
        data: samples for probes that look at them, see `zcproxy.Task.from_frame`, like `loss`; None for noise.
        batch: what models of several inputs are called with, in place of `input_shape` and `data`: see
            `zcproxy.discover`, like `targets`.
        targets: those of the samples of `batch`.
        loss: takes output and targets, in place of the cross-entropy.
        lower_is_better: whether labels are losses or errors. What is predicted is higher for better networks always.
        probes: what columns may use; `data` looks at samples.
        islands: groups of formulas that evolve apart.
        island_size: formulas of an island.
        maximum_size: most nodes of a formula; up to 200 labels it has at most half as many as there are labels.
        key: stands for the content of the models where measured columns are kept; empty for a digest of it.
        random_state: seed of every random choice: a whole number, a `numpy.random.RandomState` or `Generator` that
            gives one, or None for one of numpy's global state. The same seed finds the same formula.
        n_jobs: processes; None for 1, -1 for one per core. The result does not depend on it. Other processes import the
            models, which have to be functions of a module then.
        device: `cpu` or `cuda`.
        cache: folder of measured columns; the user's if None. What is there is not measured again, in other folds too.
        out: folder where each fit leaves a run directory of its own; None for none.
        callback: called with a `zcproxy.discovery.watching.Epoch` after each epoch; returning True ends the evolution:
            after the third split at the earliest, so that every network was left out once.
        verbose: 1 shows each epoch on standard error. The logger `zcproxy` has the same lines at level INFO.

    Attributes:
        best_: the `Proxy` that was chosen.
        front_: `DataFrame` with a row per formula, smallest first: `size` (nodes), `formula`, `training_tau`,
            `validation_tau`, `cost` (passes over a minibatch), and `chosen`; Kendall's tau in -1..1.
        expected_: tau to expect on other networks, with its 95 % interval; None with more than 200 labels, or
            beside families.
        result_: all formulas that evolved on all labels.
        epochs_: what the callback was given.
        left_out_: why networks took no part, by name, or by place where they have none.
        n_networks_: networks that took part.
        seed_: the seed that was used.
        path_: the run directory; None without `out`.
    """

    best_: Proxy
    front_: pd.DataFrame
    expected_: Expectation | None
    result_: Result
    epochs_: tuple[Epoch, ...]
    left_out_: dict[Any, str]
    n_networks_: int
    seed_: int
    path_: Path | None

    def __init__(
        self,
        *,
        generations: int = 10,
        families: str | Sequence[str] = (),
        input_shape: Sequence[int] | None = None,
        classes: int | None = None,
        data: Any = None,
        batch: Any = None,
        targets: Any = None,
        loss: LossFunction | None = None,
        lower_is_better: bool = False,
        probes: Sequence[str] = DEFAULT_PROBES,
        islands: int = 2,
        island_size: int = 60,
        maximum_size: int = 30,
        key: str = "",
        random_state: Any = 0,
        n_jobs: int | None = 1,
        device: str = "cpu",
        cache: str | os.PathLike[str] | None = None,
        out: str | os.PathLike[str] | None = None,
        callback: Callback | None = None,
        verbose: int = 0,
    ) -> None:
        self.generations = generations
        self.families = families
        self.input_shape = input_shape
        self.classes = classes
        self.data = data
        self.batch = batch
        self.targets = targets
        self.loss = loss
        self.lower_is_better = lower_is_better
        self.probes = probes
        self.islands = islands
        self.island_size = island_size
        self.maximum_size = maximum_size
        self.key = key
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.device = device
        self.cache = cache
        self.out = out
        self.callback = callback
        self.verbose = verbose

    def fit(self, models: Any, y: Any = None) -> Self:
        """Find a proxy by networks and their labels.

        Args:
            models: functions that build an untrained network, or untrained modules: a list, an array of dtype object,
                or a mapping by name.
            y: a number per model, in the same order, or by name; per cent, shares, or others. NaN leaves a network out.

        Raises:
            BenchmarkError: models and labels do not fit each other, or fewer than 16 networks are left that have a
                label and can be built and run: a notice names those that cannot.
            ConfigurationError: an argument makes no sense, or the callback raises.
        """
        seed, workers, families = seed_of(self.random_state), workers_of(self.n_jobs), families_of(self.families)
        counts = {name: whole(name, getattr(self, name)) for name in COUNTS}
        settings = {name: value for name, value in self.get_params().items() if is_plain(value)}
        watching = Watching(self.callback, counts["generations"], verbose=bool(self.verbose), settings=settings)
        with closing(watching):
            samples = samples_of(
                self.input_shape,
                self.classes,
                data=self.data,
                loss=self.loss,
                batch=self.batch,
                targets=self.targets,
            )
            task, checked = labelled_task(
                named_by_content(models),
                labels_in_order(models, y),
                samples,
                key=self.key,
                lower_is_better=self.lower_is_better,
                observer=watching,
            )
            probes = tuple(self.probes) if self.loss else checked.probes(self.probes)
            effort = Effort(**counts, probes=probes, seed=seed)
            if len(checked.costs) <= FEW and not families:
                sweeping = partial(measurable_task, workers=workers, device=str(self.device), cache=self._cache)
                task, checked = sweeping(task, checked, effort, observer=watching)
            found = Fit(task, effort, families, str(self.device), workers, self._cache, watching).run(self.out)
            self.best_, self.front_, self.result_ = found.proxy, found.front, found.result
            self.expected_, self.path_ = found.expected, found.path
            self.seed_, self.epochs_ = seed, tuple(watching.epochs)
            self.n_networks_, self.left_out_ = len(checked.costs), _by_place(models, checked)
            self._task, self._samples = task.with_networks(Collection({}), []), samples
        return self

    def predict(self, models: Any) -> Array:
        """Return a score per network: higher scores mean that a higher accuracy is expected, their size means nothing.

        Networks are built and measured as those of `fit`; what was measured before is read.

        Args:
            models: as for `fit`.

        Returns:
            One number per network, in order; minus infinity, which ranks worst, where the formula is undefined, or the
            network cannot be built or run: a notice names it.

        Raises:
            NotFittedError: there is no proxy yet.
            BenchmarkError: none of the networks can be built and run.
        """
        check_fitted(self, "predict")
        named = named_by_content(models)
        collection = Collection(self._samples.models(named))
        task = self._task.with_networks(collection, list(named))
        checked = check_networks(collection, list(named), task.input_shape, task.classes, least=1)
        formula, columns = self.best_.formula, self.best_.formula.columns()
        context = Context(task, self.best_.batch_size, 0, str(self.device), images_of(task).token)
        store = ColumnStore(self._cache or default_cache(), context)
        with worker_pool(workers_of(self.n_jobs)) as executor:
            failed = sweep_failures(store, list(checked.costs), columns, executor=executor)
            names = [name for name in checked.costs if name not in failed]
            if failed:
                notice(f"not measured, ranked worst: {named_networks(list(failed))}: {next(iter(failed.values()))}")
            if not names:
                raise BenchmarkError(f"none of the networks can be measured; {next(iter(failed.values()))}")
            table = sweep_into(store, names, columns, executor=executor)
        values = Evaluator(table.counts, table.values, table.blocks, table.connections)(formula)
        defined = np.where(np.isnan(values), -np.inf, values)
        found = dict(zip(names, defined.tolist(), strict=True))
        return np.array([found.get(name, -np.inf) for name in named], np.float64)

    def score(self, models: Any, y: Any) -> float:
        """Return Kendall's tau-b between scores and labels, in -1..1; NaN where all scores are equal.

        Args:
            models: as for `fit`.
            y: as for `fit`; where lower labels are better, tau is with the opposite of these.

        Raises:
            NotFittedError: there is no proxy yet.
            BenchmarkError: models and labels do not fit each other, fewer than two labels are left, or all are equal.
        """
        check_fitted(self, "score")
        named = named_by_content(models)
        given = labels_by_name(named, named, labels_in_order(models, y))
        labels = own_labels(given, lower_is_better=self.lower_is_better)
        return kendall_tau(self.predict({name: named[name] for name in labels}), list(labels.values()))

    @property
    def _cache(self) -> Path | None:
        return None if self.cache is None else Path(self.cache)


def _by_place(models: Any, checked: Checked) -> dict[Any, str]:
    """Return why networks were left out, by name, or by place where models have none; a notice has the places."""
    if isinstance(models, Mapping) or not checked.failed:
        return dict(checked.failed)
    places = {name: place for place, name in enumerate(named_by_content(models))}
    found = {places[name]: reason for name, reason in checked.failed.items()}
    notice(f"left out by place: {', '.join(f'models[{place}]' for place in found)}")
    return found
