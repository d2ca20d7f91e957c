"""The `BENCHMARK` of residual networks with schedules of reductions on the digits."""

from __future__ import annotations

from pathlib import Path

from zcproxy.benchmarks.digits_stages.space import StagesSpace
from zcproxy.benchmarks.shared.embedded import embedded_benchmark

BENCHMARK = embedded_benchmark("digits-stages", Path(__file__).parent, StagesSpace, space_name="digits_stages")
