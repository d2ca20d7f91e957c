"""Adapts to families with 10, 20 and 50 labels, many draws each: tau on the other networks, beside what else there is.

    python results/adapt/study.py results/adapt/scores/*.csv --out results/adapt

Scores are those that `measure.py` wrote. Two sets of candidates: `all`, with zc-general, which saw labels of every
family, as the general one, where it was measured; and `unseen`, formulas of runs that held the family out, the one of
the lowest seed as the general one, published proxies and descriptors.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zcproxy.adapting.decision import Decision, Rule, decide
from zcproxy.adapting.weighing import weighed
from zcproxy.correlation import kendall_tau
from zcproxy.correlation.ranks import rank_scores
from zcproxy.evolve.predictors import untrained_predictors
from zcproxy.random import array_generator
from zcproxy.ranking.files import write_csv

Array = NDArray[np.float64]

FAMILIES = {
    "nasbench201": "nasbench201",
    "digits201": "nasbench201",
    "nats": "nats_sss",
    "nds-resnext": "nds-resnext",
    "nds": "nds-cells",
    "transnas101-macro": "transnas101-macro",
    "transnas101-micro": "transnas101-micro",
    "ofa": "ofa_mobilenetv3",
}
"""The family that was held out, by how the name of a file of scores begins: digits201 with NAS-Bench-201."""

GENERAL = "zc-general"
LABELS = (10, 20, 50)
FEWEST_LEFT = 20
"""Networks that have to be left to judge by."""


def sets_of_candidates(columns: list[str], family: str) -> dict[str, list[str]]:
    """Return the candidates of each set, the general one first."""
    own = [name for name in columns if name.startswith(f"full-without-{family}-")]
    published = [name for name in columns if not name.startswith(("full-", "zc-"))]
    others = [name for name in columns if name != GENERAL]
    unseen = {"unseen": [*own, *published]}
    return {"all": [GENERAL, *others], **unseen} if GENERAL in columns else unseen


def tau_of(decision: Decision, scores: Array, labels: Array) -> float:
    """Return tau of what was decided on: candidates x networks, networks."""
    terms = decision.terms
    if len(terms) == 1:
        return kendall_tau(scores[terms[0].place], labels)
    with np.errstate(all="ignore"):
        return kendall_tau(weighed(np.log(scores), terms, list(range(len(scores)))), labels)


def forest_tau(scores: Array, labels: Array, seen: NDArray[np.integer], rest: NDArray[np.integer], seed: int) -> float:
    """Return tau of a random forest that is given the ranks of all candidates as features."""
    features = np.stack([rank_scores(each) for each in scores], axis=1) / scores.shape[1]
    forest = untrained_predictors(seed)["random forest"]
    forest.fit(features[seen], rank_scores(labels[seen]), np.ones(len(seen)))
    return kendall_tau(forest.predict(features[rest]), labels[rest])


def drawn(scores: Array, labels: Array, networks: int, draw: int, *, forest: bool) -> dict[str, float]:
    """Return taus on the networks that are left by a draw of labelled ones, and the expectations beside them."""
    order = array_generator("results/adapt", len(labels), draw).permutation(len(labels))
    seen, rest = order[:networks], order[networks:]
    taus = np.array([kendall_tau(each[rest], labels[rest]) for each in scores])
    made = {rule: decide(scores[None][:, :, seen], labels[seen], rule=rule, seed=draw) for rule in Rule}
    row = {"general": taus[0], "highest_tau_on_the_labels": taus[made[Rule.CHOOSE].taus.argmax()]}
    for rule, decision in made.items():
        tau, expected = tau_of(decision, scores[:, rest], labels[rest]), decision.expected
        row |= {str(rule): tau, f"{rule}_expected": expected.tau}
        row[f"{rule}_covered"] = float(expected.low <= tau <= expected.high)
    row["stays"] = float(made[Rule.CHOOSE].terms[0].place == 0)
    row["best_in_hindsight"] = float(np.nanmax(taus))
    if forest:
        row["forest"] = forest_tau(scores, labels, seen, rest, draw)
    return row


def rows_of(path: Path, draws: int, forests: int) -> Iterator[dict[str, object]]:
    """Yield one row per set of candidates, number of labels and draw."""
    frame = pd.read_csv(path)
    labels = frame["accuracy"].to_numpy()
    family = next(found for start, found in FAMILIES.items() if path.stem.startswith(start))
    for name, candidates in sets_of_candidates(list(frame.columns[2:]), family).items():
        scores = frame[candidates].to_numpy(np.float64).T
        for networks in LABELS:
            if len(labels) - networks < FEWEST_LEFT:
                continue
            for draw in range(draws):
                found = drawn(scores, labels, networks, draw, forest=draw < forests)
                yield {
                    "task": path.stem,
                    "networks": len(labels),
                    "candidates": name,
                    "of": len(candidates),
                    "labels": networks,
                    "draw": draw,
                    **found,
                }


def main() -> None:
    """Write one row per draw, and the means over draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scores", nargs="+", type=Path)
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--forests", type=int, default=5, help="Draws for which a forest is trained too.")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    rows = pd.DataFrame(row for path in options.scores for row in rows_of(path, options.draws, options.forests))
    write_csv(options.out / "draws.csv", rows)
    groups = rows.groupby(["task", "networks", "candidates", "of", "labels"], sort=False)
    summary = groups.mean().drop(columns="draw").reset_index()
    write_csv(options.out / "summary.csv", summary.round(3))


if __name__ == "__main__":
    main()
