"""Networks that are probed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from zcproxy.benchmarks.nasbench201 import NASBench201Network

CELL = "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|none~0|avg_pool_3x3~1|nor_conv_3x3~2|"


class Residual(nn.Module):
    """Convolutions with batch and group normalisation, a shortcut and a classifier; in place or not."""

    def __init__(self, *, in_place: bool = False) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.stem_norm = nn.BatchNorm2d(4)
        self.rectify = nn.ReLU(inplace=in_place)
        self.grouped = nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2, bias=False)
        self.group_norm = nn.GroupNorm(2, 6)
        self.shortcut = nn.Conv2d(4, 6, 1, stride=2)
        self.classify = nn.Linear(6, 5)
        self.in_place = in_place

    def forward(self, inputs: Tensor) -> Tensor:
        values = self.rectify(self.stem_norm(self.stem(inputs)))
        branch = self.group_norm(self.grouped(values))
        other = self.shortcut(values)
        if self.in_place:
            other += branch
            return self.classify(functional.relu_(other).mean((2, 3)))
        return self.classify(functional.relu(other + branch).mean((2, 3)))


class Shared(nn.Module):
    """One linear layer used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(6, 6)
        self.outer = nn.Linear(6, 4)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.outer(torch.relu(self.inner(torch.relu(self.inner(inputs)))))


class VisionTransformer(nn.Module):
    """Patches, one encoder layer, the mean over tokens and a classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Conv2d(3, 8, 4, stride=4)
        self.encode = nn.TransformerEncoderLayer(8, 2, 12, dropout=0.1, activation="gelu", batch_first=True)
        self.classify = nn.Linear(8, 5)

    def forward(self, inputs: Tensor) -> Tensor:
        tokens = self.embed(inputs).flatten(2).transpose(1, 2)
        return self.classify(self.encode(tokens).mean(1))


class Tokens(nn.Module):
    """Linear layers on samples x tokens x features."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(6, 7)
        self.norm = nn.LayerNorm(7)
        self.last = nn.Linear(7, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.last(functional.silu(self.norm(self.first(inputs)))).mean(1)


def convolutions_1d() -> nn.Module:
    return nn.Sequential(
        nn.Conv1d(3, 4, 3, padding=1),
        nn.InstanceNorm1d(4, affine=True, track_running_stats=True),
        nn.ReLU(inplace=True),
        nn.Conv1d(4, 5, 3),
        nn.Flatten(),
        nn.Linear(30, 4),
    )


def perceptron() -> nn.Module:
    layers = [nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 7), nn.Tanh()]
    return nn.Sequential(*layers, nn.Linear(7, 4))


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "cell": (lambda: NASBench201Network(CELL, 6, channels=4, cells=1), (3, 8, 8)),
    "residual": (Residual, (3, 8, 8)),
    "in place": (lambda: Residual(in_place=True), (3, 8, 8)),
    "shared": (Shared, (6,)),
    "transformer": (VisionTransformer, (3, 8, 8)),
    "tokens": (Tokens, (5, 6)),
    "one-dimensional": (convolutions_1d, (3, 8)),
    "perceptron": (perceptron, (6,)),
}

Case = tuple[nn.Module, Tensor]


def build(name: str, *, batch: int = 6) -> Case:
    make, shape = NETWORKS[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return make(), torch.randn((batch, *shape))


@pytest.fixture(params=NETWORKS)
def case(request: pytest.FixtureRequest) -> Case:
    """Each network with a batch of inputs."""
    return build(request.param)


@pytest.fixture
def network() -> Callable[..., Case]:
    """Build a network by name."""
    return build
