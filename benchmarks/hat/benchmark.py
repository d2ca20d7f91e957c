"""The `BENCHMARK` of HAT: its space."""

from __future__ import annotations

from zcproxy.benchmarks.hat.space import TranslationSpace
from zcproxy.benchmarks.shared.description import Benchmark

BENCHMARK = Benchmark("hat", spaces={"hat_translation": TranslationSpace})
