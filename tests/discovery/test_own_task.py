"""Tasks from data frames."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import zcproxy
from zcproxy.columns.context import Context
from zcproxy.columns.sweep import sweep
from zcproxy.contracts.own_models import Collection
from zcproxy.contracts.own_task import OwnTask
from zcproxy.errors import BenchmarkError, ConfigurationError, ModelError
from zcproxy.images.minibatch import images_of
from zcproxy.primitives import parse
from zcproxy.testing import check_task


def _build(text: str) -> nn.Module:
    width = int(text)
    return nn.Sequential(nn.Conv2d(1, width, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16 * width, 5))


def _frame(**changes: Any) -> pd.DataFrame:
    return pd.DataFrame({"architecture": ["2", "3", "4", "5"], "accuracy": [0.2, 0.4, 0.3, 0.5]} | changes)


def test_a_frame_and_a_factory_are_a_task() -> None:
    task = zcproxy.Task.from_frame(_frame(), _build, input_shape=(1, 6, 6))
    check_task(task)
    assert task.classes == 5
    assert task.labels(["5", "2"]).tolist() == [50, 20]
    assert zcproxy.get_task(task.name) is task
    sent = pickle.loads(pickle.dumps(task))
    assert sent.name == task.name and sent.labels(["3"]).tolist() == [40]


def test_losses_are_turned_round_and_other_numbers_stay() -> None:
    lower = zcproxy.Task.from_frame(_frame(), _build, input_shape=(1, 6, 6), lower_is_better=True)
    assert lower.labels(["2", "5"]).tolist() == [-0.2, -0.5]
    percent = zcproxy.Task.from_frame(_frame(accuracy=[0.2, 40, 30, 50]), _build, input_shape=(1, 6, 6))
    assert percent.labels(["2", "3"]).tolist() == [0.2, 40]


def test_the_name_changes_with_labels_and_models_and_with_nothing_else() -> None:
    first = zcproxy.Task.from_frame(_frame(), _build, input_shape=(1, 6, 6))
    again = zcproxy.Task.from_frame(_frame(), _build, input_shape=(1, 6, 6))
    others = zcproxy.Task.from_frame(_frame(accuracy=[0.2, 0.4, 0.3, 0.6]), _build, input_shape=(1, 6, 6))
    wider = zcproxy.Task.from_frame(_frame(), lambda text: _build(f"{text}0"), input_shape=(1, 6, 6))
    keyed = zcproxy.Task.from_frame(_frame(), _build, input_shape=(1, 6, 6), key="second")
    assert first.name == again.name
    assert len({task.name for task in (first, others, wider, keyed)}) == 4


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"arch": ["2"], "accuracy": [1]}), r"no column 'architecture'.*'?arch'?"),
        (_frame(architecture=["2", "2", "4", "5"]), "row 2 of the table has the architecture '2' again"),
        (_frame(architecture=["2", None, "4", "5"]), "row 2 of the table has no text"),
        (_frame(accuracy=["1", "good", "2", "3"]), "the label of '3' is 'good', not a number"),
        (_frame(accuracy=[np.nan] * 4), "none of the 4 networks has a number"),
    ],
)
def test_a_wrong_table_is_named(frame: pd.DataFrame, message: str) -> None:
    with pytest.raises(BenchmarkError, match=message):
        zcproxy.Task.from_frame(frame, _build, input_shape=(1, 6, 6))


def test_wrong_shapes_and_models_are_named() -> None:
    with pytest.raises(BenchmarkError, match=r"input_shape=\(0, 6\) is not the shape of a sample"):
        zcproxy.Task.from_frame(_frame(), _build, input_shape=(0, 6))
    with pytest.raises(ModelError, match="the network '2' cannot be run"):
        zcproxy.Task.from_frame(_frame(), _build, input_shape=(3, 6, 6))
    with pytest.raises(ModelError, match="the network '2' is a str, expected a torch"):
        zcproxy.Task.from_frame(_frame(), lambda text: text, input_shape=(1, 6, 6))  # type: ignore[arg-type,return-value]


def test_networks_without_a_label_are_left_out_and_named(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "zcproxy"):
        task = zcproxy.Task.from_frame(_frame(accuracy=[0.2, "", np.nan, 0.5]), _build, input_shape=(1, 6, 6))
    assert task.architectures("all") == ("2", "5")
    assert "'3', '4' have no finite label and are left out; 2 networks are left" in caplog.text


def test_minibatches_are_of_the_data_or_noise() -> None:
    noise = zcproxy.Task.from_frame(_frame(), _build, input_shape=(1, 6, 6))
    assert images_of(noise).description == "Gaussian noise"
    assert noise.batch(100).inputs.shape == (100, 1, 6, 6)
    inputs, targets = torch.randn(20, 1, 6, 6), torch.arange(20) % 5
    pairs = list(zip(inputs, targets, strict=True))
    loaded = [(inputs[:10], targets[:10]), (inputs[10:], targets[10:])]
    fingerprints = set()
    data: list[Any] = [(inputs, targets), lambda: (inputs.numpy(), targets.numpy()), pairs, iter(loaded)]
    for each in data:
        task = zcproxy.Task.from_frame(_frame(), _build, input_shape=(1, 6, 6), data=each)
        batch = task.batch(5)
        assert sorted(batch.targets.tolist()) == [0, 1, 2, 3, 4]
        fingerprints.add(task.fingerprint)
    assert len(fingerprints) == 1 and noise.fingerprint not in fingerprints
    with pytest.raises(BenchmarkError, match="a batch of 21 samples is not available"):
        task.batch(21)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((torch.zeros(4, 6, 6), torch.zeros(4, dtype=torch.int64)), "expected samples x 1 x 6 x 6"),
        ((torch.zeros(4, 1, 6, 6), torch.zeros(4)), "expected one whole number, the class"),
        ((torch.full((4, 1, 6, 6), torch.nan), torch.zeros(4, dtype=torch.int64)), "not finite"),
        ([], "`data` is empty"),
        (iter([]), "`data` is empty"),
        (7, "`data` is a int"),
        (["text"], "an item that is a str"),
    ],
)
def test_data_that_do_not_fit_are_named(data: Any, message: str) -> None:
    with pytest.raises(BenchmarkError, match=message):
        zcproxy.Task.from_frame(_frame(), _build, input_shape=(1, 6, 6), data=data)


def test_columns_are_kept_by_the_content_of_each_network(tmp_path: Path) -> None:
    columns = [parse("params")]

    def measured(**models: Callable[[], nn.Module]) -> list[float]:
        task = OwnTask(Collection(models), dict.fromkeys(models, 1.0), (1, 6, 6))
        steps: list[tuple[int, int]] = []
        table = sweep(Context(task), list(models), columns, cache=tmp_path, progress=lambda *each: steps.append(each))
        assert table.counts.tolist() == [2] * len(models)
        return [steps[0][1], *table.values[columns[0]][::2].tolist()]

    assert measured(a=lambda: _build("2"), b=lambda: _build("3")) == [2, 20, 30]
    assert measured(a=lambda: _build("2"), b=lambda: _build("3")) == [0, 20, 30]
    assert measured(a=lambda: _build("2"), b=lambda: _build("4"), c=lambda: _build("2")) == [2, 20, 40, 20]


def test_what_cannot_be_sent_says_so() -> None:
    task = zcproxy.Task.from_frame(_frame(), lambda text: _build(text), input_shape=(1, 6, 6))  # noqa: PLW0108
    with pytest.raises(ConfigurationError, match=r"cannot be sent to other processes.*use workers=1"):
        pickle.dumps(task)
