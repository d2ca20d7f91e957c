"""The `BENCHMARK` of chains of mobile blocks: their space."""

from __future__ import annotations

from zcproxy.benchmarks.digits_mobile.space import MobileSpace
from zcproxy.benchmarks.shared.description import Benchmark

BENCHMARK = Benchmark("digits-mobile", spaces={"digits_mobile": MobileSpace})
