"""Bit widths searched together with the architecture, after it, and not at all, by the front of accuracy and size.

    python results/search/quantisation.py --seeds 0 1 2 3 4 5 6 7 8 9 --out runs/quantised

Every method may measure the accuracy of as many sub-networks of the trained `elastic_digits`. The one that searches bit
widths after the architecture spends half of that on architectures in float32, and the other half on bit widths of the
architectures on the front that it found. A finished search is not repeated.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
from naming import folder_name, told
from numpy.typing import NDArray

from zcproxy.benchmarks.elastic_digits import ElasticDigits
from zcproxy.cli.display import RunDisplay
from zcproxy.search import Quantisation, SearchConfiguration, SearchResult, Setting, search
from zcproxy.search.front import costs_of, hypervolume
from zcproxy.search.goals import Candidate

HERE = Path(__file__).parent
EVALUATIONS = 100
PLAIN = SearchConfiguration(
    Setting("elastic_digits"), ("accuracy",), ("model_size_mb",), population=20, evaluations=EVALUATIONS
)
UNIFORM = replace(PLAIN, setting=Setting("elastic_digits", quantisation=Quantisation((8,))))
JOINT = replace(PLAIN, setting=Setting("elastic_digits", quantisation=Quantisation((4, 8))))
LEVELS = (55, 60, 65, 70, 74)
"""Accuracies at which sizes are compared."""
STARTED = 10
"""Architectures of the first front that the search for bit widths begins with, at 8 bits."""

Array = NDArray[np.float64]


class Chosen(ElasticDigits):
    """The super-network with a few of its architectures."""

    def __init__(self, architectures: Sequence[str]) -> None:
        super().__init__()
        self._chosen = list(architectures)

    def sample(self, rng: Random) -> str:
        """Return one of them."""
        return rng.choice(self._chosen)

    def neighbours(self, architecture: str) -> list[str]:
        """Return the others."""
        return [each for each in self._chosen if each != architecture]

    def crossover(self, first: str, second: str, rng: Random) -> str:
        """Return one of the two."""
        return rng.choice((first, second))


def finished(
    name: str,
    configuration: SearchConfiguration,
    folder: Path,
    display: RunDisplay,
    subject: ElasticDigits | None = None,
) -> SearchResult:
    """Return the result of a search in a folder, which takes over what earlier seeds measured in the same setting."""
    out = folder / folder_name(name) / str(configuration.seed)
    earlier = sorted(out.parent.glob("*/results.json"), key=lambda path: path.stat().st_mtime)
    reuse = [path.parent for path in earlier[-1:] if path.parent != out]
    return search(configuration, out, subject=subject, reuse=reuse, step=told(display, f"{name} {out.name}"))


def widths_after(name: str, first: SearchResult, seed: int, folder: Path, display: RunDisplay) -> SearchResult:
    """Return a search of bit widths alone, for the architectures on the front of another search."""
    architectures = [text.partition(" / bits=")[0] for text in first.front["arch"]]
    space = Chosen(list(dict.fromkeys(architectures)))
    places = np.unique(np.linspace(0, len(architectures) - 1, min(STARTED, len(architectures))).round().astype(int))
    layers = {text: ElasticDigits.decode(space, text) for text in architectures}
    start = tuple(f"{architectures[place]} / bits={_eights(layers[architectures[place]])}" for place in places)
    second = replace(JOINT, evaluations=EVALUATIONS // 2, seed=seed, start_from=start)
    return finished(name, second, folder, display, space)


def _eights(choice: dict[str, int | str]) -> str:
    """Return 8 bits for each layer of an architecture: a convolution per block, and the classifier."""
    return "/".join([*(":".join(["8"] * int(choice[f"depth{stage}"])) for stage in (1, 2, 3)), "8"])


def outcomes_of(seed: int, folder: Path, display: RunDisplay) -> dict[str, list[Candidate]]:
    """Return the quantised networks that each method has measured."""
    half = EVALUATIONS // 2
    joint = finished("joint", replace(JOINT, seed=seed), folder, display)
    uniform = finished("uniform 8 bits", replace(UNIFORM, seed=seed), folder, display)
    float_first = finished("float32 first", replace(PLAIN, seed=seed, evaluations=half), folder, display)
    after_float = widths_after("bits after float32", float_first, seed, folder, display)
    return {
        "joint": list(joint.outcomes),
        "architecture, then bits": list(after_float.outcomes),
        "uniform 8 bits": list(uniform.outcomes),
    }


def least_size(costs: Array, accuracy: float) -> float:
    """Return the smallest size with an accuracy; NaN where nothing has it."""
    sizes = costs[costs[:, 0] <= -accuracy, 1]
    return float(sizes.min()) if len(sizes) else np.nan


def main() -> None:
    """Search with every method and seed, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="+", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tables", type=Path, default=HERE)
    arguments = parser.parse_args()
    with RunDisplay() as display:
        found = {seed: outcomes_of(seed, arguments.out, display) for seed in arguments.seeds}
    costs = {(seed, name): costs_of(each) for seed, methods in found.items() for name, each in methods.items()}
    known = np.concatenate(list(costs.values()))
    ideal, nadir = known.min(axis=0), known.max(axis=0)
    whole = hypervolume(known, ideal, nadir)
    rows = []
    for (seed, name), own in costs.items():
        uniform = costs[seed, "uniform 8 bits"]
        ratios = {f"size_at_{level}": least_size(own, level) / least_size(uniform, level) for level in LEVELS}
        share = hypervolume(own, ideal, nadir) / whole
        rows.append({"method": name, "seed": seed, "evaluations": EVALUATIONS, "share": share, **ratios})
    table = pd.DataFrame(rows)
    table.to_csv(arguments.tables / "quantisation.csv", index=False, float_format="%.4f")
    print(table.drop(columns=["seed", "evaluations"]).groupby("method", sort=False).agg(["mean", "std"]).T.to_string())


if __name__ == "__main__":
    main()
