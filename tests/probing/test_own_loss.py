"""A loss of the user in place of the cross-entropy."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import zcproxy
from zcproxy.errors import BenchmarkError, ConfigurationError, ModelError
from zcproxy.names.proxies import resolve_proxy

INPUTS = torch.randn(8, 1, 6, 6, generator=torch.Generator().manual_seed(1))
CLASSES = torch.arange(8) % 5
MAPS = torch.rand(8, 3, 4, 4, generator=torch.Generator().manual_seed(2))


def _classifier() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 5))


def _segmenter() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 3, 1))


@pytest.mark.parametrize(
    "text", ["grad_norm", "snip", "grasp", "fisher", "jacov", "sum(std(mean(grad(weight)@chunks)))"]
)
def test_a_cross_entropy_of_ones_own_changes_nothing(text: str) -> None:
    proxy = resolve_proxy(text)
    expected = proxy(_classifier(), INPUTS, CLASSES)
    assert proxy(_classifier(), INPUTS, CLASSES, loss=nn.functional.cross_entropy) == pytest.approx(expected, rel=1e-6)


def test_the_gradient_is_that_of_the_loss() -> None:
    network = _segmenter()
    nn.functional.mse_loss(network(INPUTS), MAPS).backward()
    norms = [float(layer.weight.grad.norm()) for layer in (network[0], network[2])]  # type: ignore[union-attr,operator]
    proxy = resolve_proxy("sum(frobenius_norm(grad(weight)@data))")
    found = proxy(_segmenter(), INPUTS, MAPS, loss=nn.functional.mse_loss)
    assert found == pytest.approx(sum(norms), rel=1e-4)
    with pytest.raises(ModelError, match="logits of samples x classes"):
        proxy(_segmenter(), INPUTS, CLASSES)


def _raising(output: Tensor, targets: Tensor) -> Tensor:
    raise ValueError("no such targets")


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (_raising, "the loss failed: no such targets"),
        (lambda output, targets: (output - targets).square(), r"the loss returns a tensor of shape \(8, 3, 4, 4\)"),
        (lambda output, targets: 3.0, "the loss returns a float"),
        (lambda output, targets: output.detach().sum(), "the loss does not depend on the output"),
    ],
)
def test_a_wrong_loss_is_named(loss: Callable[[Tensor, Tensor], Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        resolve_proxy("grad_norm")(_segmenter(), INPUTS, MAPS, loss=loss)


def test_a_loss_without_targets_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="give `targets` too"):
        resolve_proxy("grad_norm")(_segmenter(), INPUTS, loss=nn.functional.mse_loss)
    with pytest.raises(BenchmarkError, match="give `data` with inputs and targets"):
        zcproxy.discover([_segmenter] * 16, range(16), input_shape=(1, 6, 6), loss=nn.functional.mse_loss)


def _of_width(width: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, width, 3), nn.ReLU(), nn.Conv2d(width, 3, 1))


def test_networks_are_discovered_by_a_loss_of_ones_own(tmp_path: Path) -> None:
    models = [partial(_of_width, width) for width in range(2, 20)]
    options: dict[str, Any] = {"input_shape": (1, 6, 6), "data": (INPUTS, MAPS), "lower_is_better": True}
    found = zcproxy.discover(
        models,
        [1 / width for width in range(2, 20)],
        loss=nn.functional.mse_loss,
        generations=1,
        out=tmp_path / "run",
        cache=tmp_path / "cache",
        **options,
    )
    columns = (tmp_path / "run" / "checkpoint.json").read_text()
    assert "@chunks" in columns
    task = zcproxy.get_task(found.task)
    other = zcproxy.discover(
        models,
        [1 / width for width in range(2, 20)],
        loss=nn.functional.l1_loss,
        generations=1,
        out=tmp_path / "other",
        cache=tmp_path / "cache",
        **options,
    )
    assert zcproxy.get_task(other.task).fingerprint != task.fingerprint
    assert pickle.loads(pickle.dumps(task)).loss is nn.functional.mse_loss
