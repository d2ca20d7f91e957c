"""Networks of several inputs: `batch`, in `discover` and the estimator."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import Tensor, nn

import zcproxy
from zcproxy.contracts.own_models import Collection
from zcproxy.errors import BenchmarkError

QUICK: dict[str, Any] = {"generations": 1, "probes": ("noise", "data")}


class Both(nn.Module):
    """An image and three numbers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.image = nn.Sequential(nn.Conv2d(1, width, 3), nn.ReLU(), nn.Flatten())
        self.head = nn.Linear(16 * width + 3, 4)

    def forward(self, image: Tensor, numbers: Tensor, mask: Tensor) -> Tensor:
        found: Tensor = self.head(torch.cat([self.image(image), numbers * mask], 1))
        return found


@pytest.fixture
def builders() -> list[Callable[[], nn.Module]]:
    return [partial(Both, width) for width in range(2, 20)]


@pytest.fixture
def labels() -> np.ndarray[Any, Any]:
    return np.log(np.arange(2, 20)) + np.random.default_rng(0).normal(0, 0.05, 18)


def batch_of(samples: int = 12) -> dict[str, Any]:
    random = torch.Generator().manual_seed(1)
    return {
        "image": torch.randn(samples, 1, 6, 6, generator=random),
        "numbers": torch.randn(samples, 3, generator=random),
        "mask": torch.tensor([[1, 0, 1]]).expand(samples, 3),
    }


@pytest.fixture
def search(tmp_path: Path) -> zcproxy.ProxySearch:
    return zcproxy.ProxySearch(batch=batch_of(), targets=torch.arange(12) % 4, cache=tmp_path, island_size=20, **QUICK)


def test_a_dictionary_of_inputs_is_discovered_on(
    builders: list[Any], labels: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZCPROXY_CACHE", str(tmp_path / "cache"))
    batch, targets = batch_of(), [place % 4 for place in range(12)]
    found = zcproxy.discover(builders, labels, batch=batch, targets=targets, **QUICK)
    assert found.labels == 18 and found.expected.tau > 0.3
    task: Any = zcproxy.get_task(found.task)
    assert task.input_shape == (39,) and task.classes == 4 and not task.shows_noise
    model, inputs = zcproxy.one_input(Both(30), batch)
    assert math.isfinite(found.proxy(model, inputs))
    with pytest.raises(BenchmarkError, match="leave out `input_shape` and `data`"):
        zcproxy.discover(builders, labels, batch=batch, input_shape=(39,), **QUICK)
    with pytest.raises(BenchmarkError, match="`targets` belong to `batch`"):
        zcproxy.discover(builders, labels, input_shape=(39,), targets=targets, **QUICK)
    with pytest.raises(BenchmarkError, match="`input_shape` is missing"):
        zcproxy.discover(builders, labels, **QUICK)


def test_the_estimator_takes_a_batch_and_copies_with_it(
    search: zcproxy.ProxySearch, builders: list[Any], labels: Any
) -> None:
    scores = search.fit(builders, labels).predict(builders)
    assert np.isfinite(scores).all() and search.score(builders, labels) > 0.3
    assert np.array_equal(clone(search).fit(builders, labels).predict(builders), scores)
    modules = [builder() for builder in builders]
    assert np.isfinite(search.predict(modules)).all()


def test_another_split_of_as_many_numbers_is_measured_anew(
    search: zcproxy.ProxySearch, builders: list[Any], labels: Any
) -> None:
    first = search.set_params(probes=("noise",), targets=None).fit(builders, labels)
    masked = batch_of() | {"mask": torch.tensor([[0, 0, 0]]).expand(12, 3)}
    other = clone(first).set_params(batch=masked).fit(builders, labels)
    assert stored(first, builders[0]) != stored(other, builders[0])
    assert stored(first, builders[0]) == stored(clone(first).fit(builders, labels), builders[0])
    keyed = [clone(each).set_params(key="v1").fit(builders, labels) for each in (first, other)]
    assert keyed[0].best_.provenance["configuration"]["tasks"] != keyed[1].best_.provenance["configuration"]["tasks"]


def stored(search: zcproxy.ProxySearch, builder: Any) -> str:
    """Return the text that what is measured of a network is kept under."""
    models = Collection(search._samples.models({"a": builder}))
    return search._task.with_networks(models, ["a"]).stored_as("a")


def test_a_loss_of_ones_own_takes_targets_of_any_kind(
    search: zcproxy.ProxySearch, builders: list[Any], labels: Any
) -> None:
    targets = torch.randn(12, 4)
    search.set_params(targets=targets, loss=lambda output, target: (output - target).square().mean())
    assert np.isfinite(search.fit(builders, labels).predict(builders)).all()


def test_one_tensor_is_shape_and_samples(search: zcproxy.ProxySearch, labels: Any) -> None:
    def network(width: int) -> nn.Module:
        return nn.Sequential(nn.Conv2d(1, width, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16 * width, 4))

    models = [partial(network, width) for width in range(2, 20)]
    images = torch.randn(12, 1, 6, 6)
    by_batch = search.set_params(batch=images).fit(models, labels).predict(models)
    search.set_params(batch=None, targets=None, data=(images, torch.arange(12) % 4))
    assert np.array_equal(search.fit(models, labels).predict(models), by_batch)


def test_token_ids_are_refused_with_the_reason(search: zcproxy.ProxySearch, builders: list[Any], labels: Any) -> None:
    search.set_params(batch={"input_ids": torch.arange(24).reshape(2, 12), "attention_mask": torch.ones(2, 12).bool()})
    refused = r"`batch\['input_ids'\]` is int64 and differs between samples: .* embedding"
    with pytest.raises(BenchmarkError, match=refused):
        search.fit(builders, labels)


def test_a_network_that_takes_other_arguments_is_named(
    search: zcproxy.ProxySearch, builders: list[Any], labels: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "zcproxy"):
        search.fit([partial(nn.Linear, 39, 4), *builders[1:]], labels)
    assert list(search.left_out_) == [0] and "unexpected keyword argument 'image'" in search.left_out_[0]
