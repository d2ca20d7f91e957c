"""MeCo on NAS-Bench-201 over the outputs of every module, as in its authors' code, and over those of weight layers.

    python results/tables/modules.py [--networks 150] [--out FOLDER]

Computed directly, on one image of Gaussian noise and on 16, with torch's own initialisation. Writes `modules.csv`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from zcproxy.correlation import kendall_tau
from zcproxy.names.tasks import get_task
from zcproxy.random import derive_seed
from zcproxy.ranking.scoring import draw_networks

TASK = "nasbench201/cifar10"


def smallest(features: Tensor) -> float:
    """Return the smallest eigenvalue of the correlation between channels; undefined correlations count as 0."""
    rows = features.detach().transpose(0, 1).flatten(1).double()
    with np.errstate(all="ignore"):
        return float(np.linalg.eigvalsh(np.nan_to_num(np.corrcoef(rows.numpy())))[0])


def meco(architecture: str, samples: int) -> tuple[float, float]:
    """Return the sums over all modules and over those with weights."""
    torch.manual_seed(derive_seed("modules", architecture))
    network = get_task(TASK).build(architecture).train()
    found: list[tuple[bool, float]] = []

    def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        found.append((isinstance(module, nn.Conv2d | nn.Linear), smallest(output)))

    for module in network.modules():
        module.register_forward_hook(hook)
    with torch.no_grad():
        network(torch.randn(samples, 3, 32, 32))
    return sum(value for _, value in found), sum(value for has_weights, value in found if has_weights)


def main() -> None:
    """Measure a draw of networks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=150)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    options = parser.parse_args()
    torch.set_num_threads(1)
    task = get_task(TASK)
    networks = draw_networks(task, options.networks)
    labels = task.labels(networks)
    rows = []
    for samples in (1, 16):
        scores = np.array([meco(text, samples) for text in networks]).T
        every, weighted = (kendall_tau(values, labels) for values in scores)
        rows.append({"samples": samples, "networks": len(networks), "every_module": every, "weight_layers": weighted})
    table = pd.DataFrame(rows)
    table.to_csv(options.out / "modules.csv", index=False, float_format="%.3f")
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
