"""Compares what formulas could be fitted to: how well each foretells a family from the labels of the others alone.

    python results/generalisation/targets.py RUN [RUN ...] --out results/generalisation

RUN is a directory that `study.py` wrote, one per family held out: networks, columns and labels are those of the run.
Every method is given the ranks of the sums and means of all columns (`features_of`) and the labels of the families that
the run was fitted to. Written to `targets.csv`: Kendall's tau on what the run held out, the mean over the tasks of a
family, and over families.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zcproxy.columns.context import Context
from zcproxy.columns.sweep import sweep
from zcproxy.correlation import kendall_tau
from zcproxy.correlation.ranks import mean_ranks
from zcproxy.evolve.directory import RunDirectory
from zcproxy.evolve.predictors import features_of
from zcproxy.evolve.start import draw_samples, first_columns
from zcproxy.evolve.targets import standardised
from zcproxy.formula import Kind
from zcproxy.names.families import families
from zcproxy.names.tasks import get_task
from zcproxy.workers.pool import worker_pool

Array = NDArray[np.float64]
Task = tuple[Array, Array, Array]
"""Standardised ranks of the features (networks x features), of the labels, and the labels."""
Families = dict[str, list[Task]]
Method = Callable[[Families], Array]
"""The other families to weights of the features."""

TEMPERATURE = 0.1
"""Of the soft minimum over families."""
SIZES = ("total_params", "total_macs")


def measured(run: Path, executor: Executor | None) -> tuple[Families, Families, dict[str, int]]:
    """Return the tasks of each family that a run was fitted to and held out, and the places of sizes among features."""
    configuration = RunDirectory(run).configuration()
    samples, columns = draw_samples(configuration), first_columns(configuration)
    family_of = {task: family for family, tasks in families().items() for task in tasks}
    fitted: Families = {}
    held_out: Families = {}
    for name, sample in samples.items():
        task = get_task(name)
        into, networks = (held_out, sample.test) if name in configuration.hold_out else (fitted, sample.fitted)
        table = sweep(Context(task), networks, columns, executor=executor)
        labels = task.labels(networks)
        ranks = standardised(mean_ranks(labels)[:, None])[:, 0]
        into.setdefault(family_of[name], []).append((standardised(features_of(table)), ranks, labels))
    ends = np.cumsum([2 if column.kind is Kind.LAYER else 1 for column in columns]).tolist()
    places = dict(zip(map(str, columns), ends, strict=True))
    return fitted, held_out, {name: places[name] - 1 for name in SIZES}


def correlations(known: Families) -> Array:
    """Return families x features: Spearman's correlation with the labels, the mean over the tasks of a family."""
    return np.stack([np.mean([features.T @ ranks for features, ranks, _ in tasks], 0) for tasks in known.values()])


def strongest(count: int, power: float) -> Method:
    """Return the method that weighs the features of the highest mean correlation by a power of it."""

    def weights(known: Families) -> Array:
        mean = correlations(known).mean(axis=0)
        kept = np.argsort(-np.abs(mean), kind="stable")[:count]
        found = np.zeros_like(mean)
        found[kept] = np.sign(mean[kept]) * np.abs(mean[kept]) ** power
        return found

    return weights


def ridge(penalty: float) -> Method:
    """Return ridge regression on all features; the penalty is a multiple of their mean square."""

    def weights(known: Families) -> Array:
        parts = [(each, len(tasks)) for tasks in known.values() for each in tasks]
        features = np.concatenate([task[0] / count**0.5 for task, count in parts])
        ranks = np.concatenate([task[1] / count**0.5 for task, count in parts])
        products = features @ features.T
        ridged = products + penalty * np.trace(products) / len(ranks) * np.eye(len(ranks))
        return features.T @ np.linalg.solve(ridged, ranks)

    return weights


def best_set(merit: Callable[[Array, Array], Array], members: int, sizes: Sequence[int], beam: int = 200) -> Method:
    """Return the method that sums the ranks of the few features, either way up, with the highest merit.

    Args:
        merit: correlations of sets (families x sets) and of the better size (families) to one number per set.
        members: features of the set.
        sizes: places of the sizes among the features.
        beam: sets that are extended by each further feature.
    """

    def weights(known: Families) -> Array:
        size = correlations(known)[:, list(sizes)].max(axis=1)
        count = correlations(known).shape[1]
        sets = np.zeros((1, count))
        for _ in range(members):
            steps = np.concatenate([np.eye(count), -np.eye(count)])
            extended = np.unique((sets[:, None] + steps[None]).reshape(-1, count), axis=0)
            values = merit(_correlations_of(known, extended), size)
            sets = extended[np.argsort(-values, kind="stable")[:beam]]
        return sets[0]

    return weights


def _correlations_of(known: Families, sets: Array) -> Array:
    found = []
    for tasks in known.values():
        taus = []
        for features, ranks, _ in tasks:
            lengths = np.sqrt(np.einsum("sf,fg,sg->s", sets, features.T @ features, sets, optimize=True).clip(1e-12))
            taus.append(sets @ (features.T @ ranks) / lengths)
        found.append(np.mean(taus, axis=0))
    return np.stack(found)


def mean(found: Array, size: Array) -> Array:
    """Return the mean over families."""
    return found.mean(axis=0)


def worst_and_mean(found: Array, size: Array) -> Array:
    """Return what lies halfway between the worst family and the mean."""
    return (found.min(axis=0) + found.mean(axis=0)) / 2


def soft_minimum(found: Array, size: Array) -> Array:
    """Return a smooth minimum over families."""
    return -TEMPERATURE * np.log(np.exp(-found / TEMPERATURE).mean(axis=0))


def not_below_size(found: Array, size: Array) -> Array:
    """Return the mean less what is missing to the better of params and FLOPs."""
    return found.mean(axis=0) - np.maximum(0.0, size[:, None] - found).mean(axis=0)


def methods(sizes: dict[str, int]) -> dict[str, Method]:
    """Return what is compared, by name."""
    found = {f"{count} strongest": strongest(count, 1.0) for count in (10, 20, 30, 40, 60)}
    found |= {"30 strongest, equal weights": strongest(30, 0.0), "all": strongest(10**6, 1.0)}
    found |= {f"ridge, penalty {penalty:g}": ridge(penalty) for penalty in (0.1, 1.0, 10.0, 100.0)}
    for merit in (mean, worst_and_mean, soft_minimum, not_below_size):
        for members in (1, 2, 3):
            name = f"set of {members} by {merit.__name__.replace('_', ' ')}"
            found[name] = best_set(merit, members, list(sizes.values()))
    for name, place in sizes.items():
        found[name.removeprefix("total_")] = lambda known, place=place: np.eye(correlations(known).shape[1])[place]
    return found


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    rows: dict[str, dict[str, float]] = {}
    with worker_pool(options.workers) as executor:
        for run in options.runs:
            print(f"measuring {run}", flush=True)
            fitted, held_out, sizes = measured(run, executor)
            for name, method in methods(sizes).items():
                weights = method(fitted)
                taus = {
                    family: float(np.mean([kendall_tau(task[0] @ weights, task[2]) for task in tasks]))
                    for family, tasks in held_out.items()
                }
                rows.setdefault(name, {}).update(taus)
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")
    table = table.assign(mean=table.mean(axis=1)).round(3)
    table.to_csv(options.out / "targets.csv")
    print(table.to_string())


if __name__ == "__main__":
    main()
