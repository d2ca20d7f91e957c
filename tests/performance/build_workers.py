"""Time of `zcproxy benchmark build` with one worker, divided by its time with two.

    python tests/performance/build_workers.py [--networks 24]

Both train the same networks on the digits, once each, one after the other; the time to start the workers counts.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from zcproxy.building.build import build_benchmark
from zcproxy.building.configuration import BuildConfiguration


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=24)
    options = parser.parse_args()
    configuration = BuildConfiguration(
        "nasbench201", "digits", networks=options.networks, seeds=1, space_options={"channels": 6, "cells": 1}
    )
    seconds = []
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            build_benchmark(configuration, Path(folder) / "built", workers=workers)
            seconds.append(time.perf_counter() - started)
    one, two = seconds
    print(f"{options.networks} networks: 1 worker {one:.1f} s, 2 workers {two:.1f} s, ratio {one / two:.2f}")


if __name__ == "__main__":
    main()
