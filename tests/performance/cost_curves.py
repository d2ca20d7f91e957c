"""What measuring a network costs, along one axis at a time: seconds of one core, and memory.

    python tests/performance/cost_curves.py --out results/performance/costs.csv

The network is one of NAS-Bench-201 with another batch, image size, width, depth or number of columns; each point is a
process of its own, so that its peak of resident memory is that of the point. `base_mb` is what the process holds before
it measures: the libraries, the network and the minibatch. Images and weights are random: they do not change the cost.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pandas as pd
import torch

from zcproxy.benchmarks.nasbench201.network import NASBench201Network
from zcproxy.columns.standard import standard_columns
from zcproxy.evolve.configuration import DEFAULT_PROBES
from zcproxy.probing.measure import measure

CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|skip_connect~0|avg_pool_3x3~1|nor_conv_3x3~2|"
ALL = 1000


@dataclass(frozen=True)
class Point:
    """What is measured: samples, pixels of a side, channels of the first stage, cells of a stage, columns at most."""

    batch: int = 8
    resolution: int = 32
    channels: int = 16
    cells: int = 5
    columns: int = ALL


CURVES: dict[str, tuple[int, ...]] = {
    "batch": (2, 8, 32, 128),
    "resolution": (16, 32, 64, 128),
    "channels": (8, 16, 32, 64, 128, 256),
    "cells": (1, 5, 15, 45),
    "columns": (1, 10, 30, 60, ALL),
}


def costs(point: Point) -> dict[str, float]:
    """Measure one network twice in this process; the second time counts."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    columns = [column for column in standard_columns(DEFAULT_PROBES) if not column.is_leaf][: point.columns]
    inputs = torch.randn(point.batch, 3, point.resolution, point.resolution)
    targets = torch.arange(point.batch) % 10
    small = NASBench201Network(CELL, 10, 4, 1)
    measure(small, inputs[:2, :, :8, :8], targets[:2], columns, disposable=True)  # what is loaded or made once
    network = NASBench201Network(CELL, 10, point.channels, point.cells)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    spent = time.process_time()
    found = measure(network, inputs, targets, columns, disposable=True)
    spent = time.process_time() - spent
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "columns": len(columns),
        "layers": found.layers,
        "parameters": parameters,
        "seconds": round(spent, 3),
        "base_mb": round(base / 1024),
        "peak_mb": round(peak / 1024),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--point", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.point:
        print(json.dumps(costs(Point(**json.loads(options.point)))))
        return
    rows = []
    for axis, values in CURVES.items():
        for value in values:
            point = asdict(replace(Point(), **{axis: value}))
            command = [sys.executable, __file__, "--out", str(options.out), "--point", json.dumps(point)]
            found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            rows.append({"axis": axis, **point, **found})
            print(rows[-1], flush=True)
    pd.DataFrame(rows).to_csv(options.out, index=False)


if __name__ == "__main__":
    main()
