"""An elastic convolutional super-network on the distorted digits: small enough to train on a laptop in about a minute."""

from __future__ import annotations

from zcproxy.benchmarks.elastic_digits.super_network import ElasticDigits as ElasticDigits
