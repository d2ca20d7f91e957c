"""The parts of AZ-NAS at the outputs of the cells of NAS-Bench-201: the cost of treating weight layers as blocks.

    python results/tables/blocks.py [--networks 150] [--out FOLDER]

The authors take the outputs of the 17 cells for features, initialise with kaiming_normal (fan in) and show the network
Gaussian noise. Writes `blocks.csv`: tau of each part and of the sum of log ranks, with the authors' initialisation and
with torch's own, for several batches and sizes of the images. The formula language is not used here.
"""

from __future__ import annotations

import argparse
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from zcproxy.benchmarks.nasbench201 import NASBench201Network
from zcproxy.correlation import kendall_tau
from zcproxy.names.tasks import get_task
from zcproxy.primitives.rankings import log_ranks
from zcproxy.random import derive_seed
from zcproxy.ranking.scoring import draw_networks

SETTINGS = (
    ("nasbench201/cifar10", 32, 16),
    ("nasbench201/imagenet16-120", 16, 16),
    ("nasbench201/imagenet16-120", 16, 64),
    ("nasbench201/imagenet16-120", 32, 64),
)
"""Task, height and width of the images, samples of a minibatch."""

PARTS = ("expressivity", "progressivity", "trainability")


def initialise(module: nn.Module) -> None:
    """Draw weights as the authors do."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def features_of(network: NASBench201Network, inputs: Tensor) -> list[Tensor]:
    """Return the outputs of the cells."""
    found = [network.stem(inputs)]
    for cell in network.body:
        found.append(cell(found[-1]))
    return found[1:]


def expressivity(feature: Tensor) -> float:
    """Return the entropy of the principal components of a feature."""
    rows = feature.detach().movedim(1, -1).flatten(0, -2)
    rows = rows - rows.mean(dim=0)
    spectrum = torch.linalg.eigvalsh(rows.T @ rows / len(rows)).clamp(min=0)
    shares = spectrum / spectrum.sum()
    return float(-(shares * (shares + 1e-8).log()).sum())


def trainability(before: Tensor, after: Tensor) -> float:
    """Return 2 - s - 1 / s of the largest singular value of the estimated Jacobian between two features."""
    signs = torch.randint(2, after.shape).to(after) * 2 - 1
    if not (before.requires_grad and after.requires_grad):
        return float("nan")
    (gradient,) = torch.autograd.grad(after, before, signs, retain_graph=True, materialize_grads=True)
    if gradient.shape[2:] != after.shape[2:]:
        gradient = nn.functional.pixel_unshuffle(gradient, gradient.shape[2] // after.shape[2])
    rows = [x.movedim(1, -1).flatten(0, -2) for x in (gradient, signs)]
    largest = torch.linalg.matrix_norm(rows[0].T @ rows[1] / len(rows[0]), 2)
    return float(2 - largest - 1 / (largest + 1e-6))


def parts_of(architecture: str, side: int, batch: int, authors_initialisation: bool) -> list[float]:
    """Return the three parts of one network; its FLOPs are the fourth. They do not look at the logits."""
    torch.manual_seed(derive_seed("blocks", architecture))
    network = NASBench201Network(architecture, 10)
    if authors_initialisation:
        network.apply(initialise)
    features = features_of(network.train(), torch.randn(batch, 3, side, side))
    scores = np.array([expressivity(feature) for feature in features])
    slopes = [trainability(*pair) for pair in pairwise(features)]
    return [float(scores.sum()), float(np.diff(scores).min()), float(np.mean(slopes))]


def main() -> None:
    """Measure a draw of networks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=150)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for (name, side, batch), authors in product(SETTINGS, (True, False)):
        task = get_task(name)
        networks = draw_networks(task, options.networks)
        labels = task.labels(networks)
        found = np.array([parts_of(text, side, batch, authors) for text in networks])
        scores = {**dict(zip(PARTS, found.T, strict=True)), "complexity": task.baselines(networks)["flops"]}
        scores["az_nas"] = log_ranks(*scores.values())
        taus = {part: kendall_tau(values, labels) for part, values in scores.items()}
        initialisation = "kaiming_normal, fan in" if authors else "torch's own"
        settings = {"task": name, "side": side, "batch": batch, "initialisation": initialisation}
        rows.append({**settings, "networks": len(networks), **taus})
    table = pd.DataFrame(rows)
    table.to_csv(options.out / "blocks.csv", index=False, float_format="%.3f")
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
