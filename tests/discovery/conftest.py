"""Networks that somebody trained: twenty-four of them, whose accuracies follow their width and depth."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

import pandas as pd
import pytest
from torch import nn

SHAPE = (1, 6, 6)

SOURCE = """
from functools import partial
from torch import nn


def build(text):
    depth, width, kernel = map(int, text.split("-"))
    layers, channels = [], 1
    for _ in range(depth):
        layers += [nn.Conv2d(channels, width, kernel, padding="same"), nn.BatchNorm2d(width), nn.ReLU()]
        channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


def models():
    return {f"{depth}-{width}-{kernel}": partial(build, f"{depth}-{width}-{kernel}")
            for depth in (1, 2, 3) for width in (2, 4, 8, 16) for kernel in (1, 3)}


def samples():
    import torch
    return torch.randn(40, 1, 6, 6), torch.arange(40) % 10
"""
"""The file of a user."""


def build(text: str) -> nn.Module:
    depth, width, kernel = map(int, text.split("-"))
    layers: list[nn.Module] = []
    channels = 1
    for _ in range(depth):
        layers += [nn.Conv2d(channels, width, kernel, padding="same"), nn.BatchNorm2d(width), nn.ReLU()]
        channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


@pytest.fixture
def trained() -> pd.DataFrame:
    """A table of architectures and accuracies as shares."""
    rng = Random(0)
    rows = [
        (f"{depth}-{width}-{kernel}", 0.4 + 0.05 * depth + 0.08 * math.log(width) + 0.04 * kernel + rng.gauss(0, 0.01))
        for depth, width, kernel in itertools.product((1, 2, 3), (2, 4, 8, 16), (1, 3))
    ]
    return pd.DataFrame(rows, columns=["architecture", "accuracy"])


@pytest.fixture
def models(trained: pd.DataFrame) -> dict[str, Callable[[], nn.Module]]:
    return {name: partial(build, name) for name in trained["architecture"]}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trained: pd.DataFrame) -> Path:
    """A folder with the file of a user, a table, and a cache of its own."""
    import sys

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZCPROXY_CACHE", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("trained_nets", None)
    (tmp_path / "trained_nets.py").write_text(SOURCE)
    trained.to_csv(tmp_path / "results.csv", index=False)
    return tmp_path
