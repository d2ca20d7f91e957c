"""The `BENCHMARK` of chains of mobile blocks on the digits."""

from __future__ import annotations

from pathlib import Path

from zcproxy.benchmarks.digits_mobile.space import MobileSpace
from zcproxy.benchmarks.shared.embedded import embedded_benchmark

BENCHMARK = embedded_benchmark("digits-mobile", Path(__file__).parent, MobileSpace, space_name="digits_mobile")
