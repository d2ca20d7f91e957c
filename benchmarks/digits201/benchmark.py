"""The `BENCHMARK` that is the default task."""

from __future__ import annotations

from pathlib import Path

from zcproxy.benchmarks.nasbench201.space import NASBench201Space
from zcproxy.benchmarks.shared.embedded import embedded_benchmark

BENCHMARK = embedded_benchmark("digits201", Path(__file__).parent, NASBench201Space)
