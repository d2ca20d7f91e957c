"""Niches: hypervolume with and without them, in the super-network `elastic_digits` and on NAS-Bench-201.

    python results/search/niches.py --seeds 0 1 2 3 4 5 6 7 8 9 --out runs/niches

Accuracy against multiply-adds: measured accuracies of sub-networks, and validation accuracies of cells. The hypervolume
after some evaluations is a share of that of all evaluations of all searches of a subject, in the box that they span.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from naming import told
from numpy.typing import NDArray

from zcproxy.cli.display import RunDisplay
from zcproxy.search import SearchConfiguration, Setting, search
from zcproxy.search.directory import EVALUATIONS
from zcproxy.search.front import hypervolume

Array = NDArray[np.float64]

HERE = Path(__file__).parent
SUBJECTS = {"elastic_digits": "accuracy", "nasbench201/cifar10": "validation_accuracy"}
ALGORITHMS = {"nsga2": (20, 400, (100, 200, 400)), "linas": (20, 100, (40, 60, 100))}
"""Population, evaluations, and the evaluations after which the hypervolume is reported."""
NICHES = (0, 5, 10)


def searched(subject: str, algorithm: str, niches: int, seed: int, out: Path, display: RunDisplay) -> Array:
    """Return the costs of what a search in a folder of its own evaluated; a finished one is not repeated."""
    population, evaluations, _ = ALGORITHMS[algorithm]
    configuration = SearchConfiguration(
        Setting(subject),
        (SUBJECTS[subject],),
        ("macs",),
        algorithm=algorithm,
        evaluations=evaluations,
        population=population,
        seed=seed,
        inner_evaluations=1000,
        niches=niches,
    )
    name = f"{subject.replace('/', '-')}-{algorithm}-{niches}"
    folder = out / name / str(seed)
    if not (folder / EVALUATIONS).exists():
        search(configuration, folder, step=told(display, f"{name} {seed}"))
    table = pd.read_parquet(folder / EVALUATIONS)
    return np.column_stack([-table[SUBJECTS[subject]], table["macs"]])


def shares(found: dict[tuple[str, int, int], Array]) -> pd.DataFrame:
    """Return a row per search and number of evaluations, given the costs of what each search of a subject evaluated."""
    everything = np.concatenate(list(found.values()))
    ideal, nadir = everything.min(axis=0), everything.max(axis=0)
    best = hypervolume(everything, ideal, nadir)
    rows = []
    for (algorithm, niches, seed), costs in found.items():
        for count in ALGORITHMS[algorithm][2]:
            share = hypervolume(costs[:count], ideal, nadir) / best
            rows.append(
                {"algorithm": algorithm, "niches": niches, "seed": seed, "evaluations": count, "hypervolume": share}
            )
    return pd.DataFrame(rows)


def main() -> None:
    """Search with all seeds, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="+", type=int, required=True)
    parser.add_argument("--subjects", nargs="+", default=list(SUBJECTS))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tables", type=Path, default=HERE)
    arguments = parser.parse_args()
    tables = []
    with RunDisplay() as display:
        for subject in arguments.subjects:
            found = {
                (algorithm, niches, seed): searched(subject, algorithm, niches, seed, arguments.out, display)
                for algorithm in ALGORITHMS
                for niches in NICHES
                for seed in arguments.seeds
            }
            tables.append(shares(found).assign(subject=subject))
    table = pd.concat(tables)
    table.to_csv(arguments.tables / "niches.csv", index=False, float_format="%.4f")
    groups = table.groupby(["subject", "algorithm", "evaluations", "niches"], sort=False)["hypervolume"]
    print(groups.agg(["median", "mean", "std", "min"]).round(4).to_string())
    without = table[table["niches"] == 0].set_index(["subject", "algorithm", "evaluations", "seed"])["hypervolume"]
    for niches in NICHES[1:]:
        own = table[table["niches"] == niches].set_index(["subject", "algorithm", "evaluations", "seed"])["hypervolume"]
        gain = (own - without).groupby(level=[0, 1, 2])
        print(f"niches {niches} less none:\n{gain.agg(['mean', np.std]).round(4).to_string()}")


if __name__ == "__main__":
    main()
