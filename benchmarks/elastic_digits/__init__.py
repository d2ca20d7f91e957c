"""An elastic convolutional super-network on the distorted digits, which a laptop trains in about a minute."""

from __future__ import annotations

from zcproxy.benchmarks.elastic_digits.super_network import ElasticDigits as ElasticDigits
