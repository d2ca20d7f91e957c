"""The `BENCHMARK` of cells within a band of FLOPs: their space."""

from __future__ import annotations

from zcproxy.benchmarks.digits_cells.space import BandedCellSpace
from zcproxy.benchmarks.shared.description import Benchmark

BENCHMARK = Benchmark("digits-cells", spaces={"digits_cells": BandedCellSpace})
