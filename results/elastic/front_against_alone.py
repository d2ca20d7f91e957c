"""Measures the front of an elastic vision transformer against networks of the front that are trained alone.

    python results/elastic/front_against_alone.py --seeds 0 1 2 --out runs/elastic-vit

The transformer, the digits and the settings are those of docs/examples/elastic_vit.py. Time is CPU time of one thread:
training the model, fine-tuning it and searching takes some, and gives the whole front. Three networks of the front are
then trained alone from scratch: each with the time that it would have if all of the front were to take as long as the
elastic run, with a third of that run's time, and with all of it. Rows are written as soon as they are measured.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import pandas as pd
import torch
from torch import nn

from zcproxy.models.untrained import untrained
from zcproxy.search import ElasticTransformer
from zcproxy.training.train import accuracy_of

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "docs" / "examples"))

import elastic_vit  # noqa: E402  # lies among the examples

ROWS = HERE / "front_against_alone.csv"
PICKED = 3


def shares(front: int) -> dict[str, float]:
    """Return the time of a network trained alone as a share of that of the elastic run, by what takes as long as it.

    Args:
        front: number of networks on the front.
    """
    return {"whole front": 1 / front, "these three": 1 / PICKED, "each": 1.0}


def elastic_run(seed: int, out: Path) -> tuple[ElasticTransformer, pd.DataFrame, float]:
    """Return the fine-tuned super-network, the front sorted by multiply-adds, and the CPU seconds of it all."""
    started = time.process_time()
    made, found = elastic_vit.run(seed, out)
    seconds = time.process_time() - started
    return made, found.front.sort_values("macs"), seconds


def trained_alone(made: ElasticTransformer, architecture: str, seconds: float, seed: int) -> tuple[float, int]:
    """Return the test accuracy of a network trained for some CPU seconds, and the epochs that fit in them."""
    first = _untrained(made, architecture, seed)
    started = time.process_time()
    elastic_vit.train(first, elastic_vit.TEST, 1, seed)
    epochs = max(round(seconds / (time.process_time() - started)), 1)
    network = _untrained(made, architecture, seed)
    elastic_vit.train(network, elastic_vit.TEST, epochs, seed)
    return accuracy_of(network, elastic_vit.TEST, "cpu"), epochs


def _untrained(made: ElasticTransformer, architecture: str, seed: int) -> nn.Module:
    return untrained(made.build, made.name, architecture, seed)


def measured(seed: int, out: Path) -> None:
    """Write the rows of a seed."""
    made, front, seconds = elastic_run(seed, out)
    places = [round(place * (len(front) - 1) / (PICKED - 1)) for place in range(PICKED)]
    picked = front.iloc[places]
    for row in picked.itertuples():
        network = made.build(row.arch)
        made.inherit(network, made.decode(row.arch))
        _append(seed, row, "elastic", seconds, 0, accuracy_of(network, elastic_vit.TEST, "cpu"))
    for name, share in shares(len(front)).items():
        for row in picked.itertuples():
            accuracy, epochs = trained_alone(made, row.arch, share * seconds, seed)
            _append(seed, row, name, share * seconds, epochs, accuracy)


def _append(seed: int, row: object, trained: str, seconds: float, epochs: int, accuracy: float) -> None:
    written = {"seed": seed, "arch": row.arch, "macs": int(row.macs), "trained": trained}  # type: ignore[attr-defined]
    written |= {"cpu_seconds": round(seconds, 1), "epochs": epochs, "test_accuracy": round(accuracy, 2)}
    pd.DataFrame([written]).to_csv(ROWS, mode="a", index=False, header=not ROWS.exists())
    print(written, flush=True)


def main() -> None:
    """Measure all seeds and print the means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="+", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    ROWS.unlink(missing_ok=True)
    for seed in arguments.seeds:
        measured(seed, arguments.out / str(seed))
    table = pd.read_csv(ROWS)
    print(table.groupby("trained", sort=False)["test_accuracy"].agg(["mean", "std", "count"]).to_string())


if __name__ == "__main__":
    main()
