"""The `BENCHMARK` of cells within a band of FLOPs: their space."""

from __future__ import annotations

from pathlib import Path

from zcproxy.benchmarks.digits_cells.space import BandedCellSpace
from zcproxy.benchmarks.shared.embedded import embedded_benchmark

BENCHMARK = embedded_benchmark("digits-cells", Path(__file__).parent, BandedCellSpace, space_name="digits_cells")
