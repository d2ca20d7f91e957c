"""The `BENCHMARK` of small vision transformers: their space."""

from __future__ import annotations

from zcproxy.benchmarks.digits_vit.space import ViTSpace
from zcproxy.benchmarks.shared.description import Benchmark

BENCHMARK = Benchmark("digits-vit", spaces={"digits_vit": ViTSpace})
