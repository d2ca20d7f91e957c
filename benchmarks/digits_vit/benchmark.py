"""The `BENCHMARK` of small vision transformers: their space."""

from __future__ import annotations

from pathlib import Path

from zcproxy.benchmarks.digits_vit.space import ViTSpace
from zcproxy.benchmarks.shared.embedded import embedded_benchmark

BENCHMARK = embedded_benchmark("digits-vit", Path(__file__).parent, ViTSpace, space_name="digits_vit")
