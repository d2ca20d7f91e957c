"""Share of a search that is spent outside of measuring, for every algorithm.

    python tests/performance/search.py

NAS-Bench-201 is searched for a proxy of one backward pass and few multiply-adds, without its labels and with one
worker. The aim is at most 10 %.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from zcproxy.search import SearchConfiguration, Setting, search
from zcproxy.search.algorithms import ALGORITHMS
from zcproxy.search.algorithms.catalogue import OF_ONE_OBJECTIVE

SETTING = Setting("nasbench201", input_shape=(3, 32, 32), formula="sum(log(frobenius_norm(grad(weight)@noise)))")
AIM = 0.1


def main() -> None:
    """Search with each algorithm."""
    print(f"{'algorithm':22s} {'seconds':>8s} {'outside':>8s}   (aim: at most {AIM:.0%})")
    for name in ALGORITHMS:
        minimised = () if name in OF_ONE_OBJECTIVE else ("macs",)
        configuration = SearchConfiguration(
            SETTING, ("proxy",), minimised, algorithm=name, evaluations=100, population=20, inner_evaluations=500
        )
        with tempfile.TemporaryDirectory() as folder:
            result = search(configuration, Path(folder) / "run")
        outside = 1.0 - result.measuring_seconds / result.total_seconds
        print(f"{name:22s} {result.total_seconds:8.1f} {outside:8.1%}")


if __name__ == "__main__":
    main()
