"""The `BENCHMARK` of the elastic network of the digits: its super-network."""

from __future__ import annotations

from zcproxy.benchmarks.elastic_digits.super_network import ElasticDigits
from zcproxy.benchmarks.shared.description import Benchmark

BENCHMARK = Benchmark("elastic_digits", super_networks={"elastic_digits": ElasticDigits})
