"""What is known of HAT: its space."""

from __future__ import annotations

from zcproxy.benchmarks.hat.space import TranslationSpace
from zcproxy.benchmarks.shared.benchmark import Benchmark

BENCHMARK = Benchmark("hat", spaces={"hat_translation": TranslationSpace})
