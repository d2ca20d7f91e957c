"""What is measured of a network, against direct computations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import pytest
import torch
from torch import nn

from zcproxy.contracts.choice_space import Option
from zcproxy.errors import ConfigurationError
from zcproxy.primitives import parse
from zcproxy.proxy.proxy import Proxy
from zcproxy.search.quantities.latency import measure_latency
from zcproxy.search.quantities.memory import peak_activation_bytes
from zcproxy.search.quantities.networks import NetworkMeasurer, Setting

from .conftest import Tiny

ARCHITECTURE = "first=3 second=5 kernel=3"


def bench(tiny: Tiny, **settings: object) -> NetworkMeasurer:
    return NetworkMeasurer(tiny, Setting("tiny", **settings))  # type: ignore[arg-type]


def test_parameters_and_multiply_adds(tiny: Tiny) -> None:
    expected = {"params": (9 + 1) * 3 + (27 + 1) * 5 + (5 + 1) * 3, "macs": 36 * (9 * 3 + 27 * 5) + 15}
    assert bench(tiny).params_and_macs(ARCHITECTURE) == expected


def test_peak_memory_is_the_worst_moment_of_the_pass() -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 4, 1))
    inputs, inner = 3 * 32 * 32, 8 * 32 * 32
    assert peak_activation_bytes(network, (3, 32, 32)) == 4 * (inputs + 2 * inner)


def test_a_shortcut_keeps_its_input_alive() -> None:
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU())

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            hidden = inputs * 2
            outputs: torch.Tensor = self.body(hidden) + hidden
            return outputs

    one = 4 * 8 * 8 * 4
    assert peak_activation_bytes(Residual(), (4, 8, 8)) == 4 * one  # input, hidden, and two of the body


def test_the_score_is_the_proxys(tiny: Tiny) -> None:
    formula = "sum(log(frobenius_norm(grad(weight)@noise)))"
    found = bench(tiny, formula=formula)
    network = found.network(ARCHITECTURE)
    batch = tiny.batch(8)
    assert found.score(ARCHITECTURE) == {"proxy": Proxy(parse(formula))(network, batch.inputs, batch.targets)}


def test_inherited_weights_change_the_score(tiny: Tiny) -> None:
    formula = "sum(frobenius_norm(weight))"
    inherited = bench(tiny, formula=formula, weights="inherited").score(ARCHITECTURE)["proxy"]
    expected = sum(math.sqrt(0.25 * count) for count in (27, 135, 15))
    assert inherited == pytest.approx(expected, rel=1e-5)
    assert bench(tiny, formula=formula).score(ARCHITECTURE)["proxy"] != pytest.approx(expected, rel=1e-2)


def test_a_network_that_fails_has_no_score() -> None:
    class Broken(Tiny):
        def sub_network(self, choice: Mapping[str, Option]) -> nn.Module:
            return nn.Sequential(nn.Conv2d(2, 2, 1), nn.Flatten())

    assert math.isnan(bench(Broken(), formula="sum(params)").score(ARCHITECTURE)["proxy"])


def test_accuracies_are_those_of_inherited_weights(tiny: Tiny) -> None:
    assert bench(tiny).validated(ARCHITECTURE) == {"accuracy": 50.0 + 9.0 - 1.0 + 2.0}


def test_training_from_scratch_gives_an_accuracy() -> None:
    found = NetworkMeasurer(*_digits())
    assert 5.0 <= found.trained("depth=1")["trained_accuracy"] <= 100.0


def _digits() -> tuple[Tiny, Setting]:
    class Digits(Tiny):
        choices: ClassVar = {"depth": (1,)}
        input_shape, classes = (1, 12, 12), 10

        def sub_network(self, choice: Mapping[str, Option]) -> nn.Module:
            return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(400, 10))

    return Digits(), Setting("digits", dataset="digits")


def test_latency_has_a_median_and_a_spread() -> None:
    found = measure_latency(nn.Linear(4, 4), (4,), batch_size=2)
    assert found.median > 0.0
    assert found.spread >= 0.0
    assert found.runs >= 10


def test_a_latency_is_timed_with_the_threads_asked_for() -> None:
    threads: set[int] = set()

    class Watched(nn.Module):
        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            threads.add(torch.get_num_threads())
            return inputs

    before = torch.get_num_threads()
    network = Watched()
    measure_latency(network, (4,), threads=3)
    assert threads == {3} and torch.get_num_threads() == before and network.training


def test_unknown_weights_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="write one of initialisation, inherited"):
        Setting("tiny", weights="trained")
