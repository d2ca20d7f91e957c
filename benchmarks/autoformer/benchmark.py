"""The `BENCHMARK` of AutoFormer: its space."""

from __future__ import annotations

from zcproxy.benchmarks.autoformer.space import AutoFormerSpace
from zcproxy.benchmarks.shared.description import Benchmark

BENCHMARK = Benchmark("autoformer", spaces={"autoformer": AutoFormerSpace})
