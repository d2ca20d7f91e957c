"""The digest of what networks are built by: it changes with code and values, and with nothing else."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from zcproxy.models.content import content_of

SOURCE = """
from functools import partial
from torch import nn
SCALE = {scale}

def helper(width):
    {comment}
    return nn.Conv2d(1, width, 3)

class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.layer = helper(width)

    def forward(self, inputs):
        return {operation}(self.layer(inputs)) * SCALE

models = {{"a": lambda: Net(4), "b": partial(Net, 8), "c": Net}}
"""


def _digests(folder: Path, name: str, scale: int = 2, comment: str = "", operation: str = "nn.functional.relu") -> str:
    (folder / f"{name}.py").write_text(SOURCE.format(scale=scale, comment=comment, operation=operation))
    code = (
        f"import {name}; from zcproxy.models.content import content_of\n"
        f"print(*(content_of(each) for each in {name}.models.values()))"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    return found.stdout


@pytest.fixture(scope="module")
def digests(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    folder = tmp_path_factory.mktemp("content")
    found = _digests(folder, "nets").split()
    assert len(set(found)) == 3
    return folder, found


def test_another_process_and_a_comment_change_nothing(digests: tuple[Path, list[str]]) -> None:
    folder, found = digests
    assert _digests(folder, "nets", comment="# a comment").split() == found


@pytest.mark.parametrize("change", [{"scale": 3}, {"operation": "nn.functional.gelu"}])
def test_a_value_and_a_function_that_the_code_names_count(
    digests: tuple[Path, list[str]], change: dict[str, object]
) -> None:
    folder, found = digests
    changed = _digests(folder, "nets", **change).split()  # type: ignore[arg-type]
    assert all(new != old for new, old in zip(changed, found, strict=True))


def test_defaults_closures_and_arguments_count() -> None:
    def closing(width: int) -> object:
        return lambda: nn.Linear(width, 2)

    def with_default(width: int) -> object:
        return lambda width=width: nn.Linear(width, 2)

    for make in (closing, with_default, lambda width: partial(nn.Linear, width, 2)):
        assert content_of(make(3)) == content_of(make(3)) != content_of(make(4))
    assert content_of(partial(torch.relu)) != content_of(partial(torch.tanh))


def test_weights_attributes_and_structure_of_a_module_count() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    first = content_of(network)
    assert content_of(network) == first
    setattr(network[1], "eps", 1e-3)  # noqa: B010 (type checkers take it for a module)
    second = content_of(network)
    with torch.no_grad():
        network[0].weight[0, 0, 0, 0] += 1
    third = content_of(network)
    network.append(nn.ReLU())
    assert len({first, second, third, content_of(network)}) == 4


def test_values_that_hold_each_other_end() -> None:
    first: list[object] = [1, np.arange(3), np.float32(2), {"b", "a"}, {"key": range(3)}]
    first.append(first)
    second: list[object] = [1, np.arange(3), np.float32(2), {"a", "b"}, {"key": range(3)}]
    second.append(second)
    assert content_of(first) == content_of(second) != content_of(first[:-1])
