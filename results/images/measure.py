"""Change of correlations with the images that networks see.

    python results/images/measure.py --tasks nasbench201/cifar10 --networks 100

Scores the same cells of NAS-Bench-201 with proxies that look at pixels, once for each kind of images, and writes
`correlations.csv` beside this file. Needs the sample files of CIFAR and ImageNet in the data directory.
Columns in the store are not measured again.
"""

from __future__ import annotations

import argparse
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from zcproxy.correlation import kendall_tau
from zcproxy.correlation.ranks import mean_ranks, rank_scores
from zcproxy.images.image_sets import PHOTOGRAPHS, SAMPLE
from zcproxy.images.own import import_images
from zcproxy.images.photographs import VERSION
from zcproxy.names.proxies import resolve_proxy
from zcproxy.names.tasks import get_task
from zcproxy.ranking.scoring import draw_networks, score_networks
from zcproxy.reading.data_directory import data_directory

PROXIES = ("snip", "naswot", "zico")
TASKS = {"nasbench201/cifar10": 32, "nasbench201/cifar100": 32, "nasbench201/imagenet16-120": 16}
OTHERS, CROPS, SPECTRUM, NOISE = "other images of it", "crops of photographs", "1/f noise", "white noise"
FIRST = "the dataset's"
MADE = 64
OUT = Path(__file__).parent


def spectrum(side: int, exponent: float) -> np.ndarray:
    """Return images of Gaussian noise whose amplitude falls with the frequency to the power of `exponent`."""
    rng = np.random.default_rng(2026)
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :])
    frequency[0, 0] = 1 / side
    grey = np.fft.rfft2(rng.normal(size=(MADE, 1, side, side)))
    colour = np.fft.rfft2(rng.normal(size=(MADE, 3, side, side)))
    found = np.fft.irfft2(
        (grey + 0.3 * colour) * frequency**-exponent, s=(side, side)
    )  # channels of photographs go together
    return found.astype(np.float32) if exponent else rng.normal(size=(MADE, 3, side, side)).astype(np.float32)


def tokens(task: str, side: int, folder: Path) -> dict[str, str]:
    """Return the token of each kind of images."""
    found = {FIRST: SAMPLE, CROPS: f"{PHOTOGRAPHS} {VERSION}"}
    samples = data_directory() / "images"
    if task.endswith("imagenet16-120"):
        with tarfile.open(samples / "imagenet_64x224_jpeg.tar") as archive:
            archive.extractall(folder / "photographs", filter="data")
        found[OTHERS] = import_images(str(folder / "photographs"))
    else:
        found[OTHERS] = import_images(str(samples / f"{task.rpartition('/')[2]}_sample.npz"))
    for name, exponent in ((SPECTRUM, 1.0), (NOISE, 0.0)):
        path = folder / f"{name.replace('/', '')}-{side}.npz"
        np.savez(path, images=spectrum(side, exponent))
        found[name] = import_images(str(path))
    return found


def measure(task: str, networks: int, folder: Path) -> list[dict[str, object]]:
    """Return one row per proxy and kind: tau with the accuracies, and with the scores on the dataset's images."""
    drawn = draw_networks(get_task(task), networks, seed=2026)
    proxies = [resolve_proxy(name) for name in PROXIES]
    rows: list[dict[str, object]] = []
    reference: dict[str, np.ndarray] = {}
    for kind, token in tokens(task, TASKS[task], folder).items():
        found = score_networks(proxies, task, drawn, population=f"{networks} drawn", batch_size=16, images=token)
        for name, correlation in found.correlations().items():
            scores = reference.setdefault(name, found.scores[name])
            agreement = kendall_tau(found.scores[name], mean_ranks(rank_scores(scores)))
            rows.append({"proxy": name, "images": kind, "tau_to_first": agreement, **correlation.as_dict()})
            print(task, kind, name, f"{correlation.tau:.3f}", f"{agreement:.3f}", flush=True)
    return rows


def main() -> None:
    """Measure the tasks named on the command line; rows of other tasks in the files stay."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--networks", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [row for task in options.tasks for row in measure(task, options.networks, Path(folder))]
    table, place = pd.DataFrame(rows), OUT / "correlations.csv"
    if place.exists():
        known = pd.read_csv(place)
        table = pd.concat([known[~known["task"].isin(options.tasks)], table])
    table.to_csv(place, index=False, float_format="%.4f")
    for value in ("tau", "tau_to_first"):
        print(
            table.pivot_table(index=["task", "proxy"], columns="images", values=value, sort=False).round(3).to_string()
        )


if __name__ == "__main__":
    main()
