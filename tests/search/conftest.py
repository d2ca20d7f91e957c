"""A super-network of the tests: small, quick, with weights and accuracies that follow from its choices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest
import torch
from torch import nn

from zcproxy.contracts.choice_space import ChoiceSpace, Option
from zcproxy.search import SuperNetwork


class Tiny(SuperNetwork):
    """Two convolutions; the accuracy is what its widths say, so that the best is known."""

    name = "tiny"
    choices: ClassVar = {"first": (2, 3, 4, 5, 6), "second": (2, 3, 4, 5, 6), "kernel": (1, 3)}
    input_shape = (1, 6, 6)
    classes = 3

    def sub_network(self, choice: Mapping[str, Option]) -> nn.Module:
        first, second, kernel = (int(choice[name]) for name in ("first", "second", "kernel"))
        return nn.Sequential(
            nn.Conv2d(1, first, kernel, padding=kernel // 2),
            nn.ReLU(),
            nn.Conv2d(first, second, kernel, padding=kernel // 2),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(second, 3),
        )

    def inherit(self, network: nn.Module, choice: Mapping[str, Option]) -> None:
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.fill_(0.5)

    def validate(self, network: nn.Module) -> float:
        first, second = network[0], network[2]
        assert isinstance(first, nn.Conv2d) and isinstance(second, nn.Conv2d)
        assert float(second.weight.detach().min()) == 0.5, "weights were not inherited"
        return 50.0 + 3.0 * first.out_channels - (second.out_channels - 4) ** 2 + 2.0 * (first.kernel_size[0] == 3)


class Bowl(ChoiceSpace):
    """A space without networks: 4,096 points of which the best is `a=3 b=3 c=3 d=3`."""

    name = "bowl"
    choices: ClassVar = {name: tuple(range(8)) for name in "abcd"}


@pytest.fixture
def tiny() -> Tiny:
    return Tiny()


@pytest.fixture
def bowl() -> Bowl:
    return Bowl()
