"""`zcproxy.discover` and `zcproxy evolve --models`: a proxy by a few labels."""

from __future__ import annotations

import gc
import json
import logging
import pickle
import weakref
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure
from torch import nn

import zcproxy
from zcproxy.discovery.few import FILE
from zcproxy.errors import BenchmarkError
from zcproxy.primitives import parse

Models = dict[str, Callable[[], nn.Module]]
Run = Callable[..., tuple[int, str, str]]

QUICK: dict[str, Any] = {"input_shape": (1, 6, 6), "generations": 2}


def test_a_proxy_is_discovered_and_says_what_to_expect(folder: Path, models: Models, trained: pd.DataFrame) -> None:
    found = zcproxy.discover(models, trained.set_index("architecture")["accuracy"], **QUICK)
    assert found.labels == 24 and found.path == Path("runs") / found.task
    assert -1 <= found.expected.low < found.expected.tau < found.expected.high <= 1
    assert found.expected.tau > 0.3
    assert max(item.training.size for item in found.result.hall) <= 12
    assert found.choice.name in found.choice.taus and next(iter(found.choice.taus)) == "zc-general"
    text = str(found)
    assert str(found.proxy.formula) in text and "24 labels say tau to about ±" in text
    score = found.proxy(models["1-4-3"](), torch.randn(8, 1, 6, 6))
    assert np.isfinite(score)
    written = zcproxy.load_proxy(found.path / FILE)
    assert written.formula == found.proxy.formula
    assert written.provenance["discovered"]["chosen"] == found.choice.name
    networks = zcproxy.get_task(found.task).architectures("all")
    frame = found.to_frame()
    assert frame["contender"].tolist().count(found.choice.name) == 1 and frame["size"].is_monotonic_increasing
    assert dict(zip(frame["contender"], frame["validation_tau"], strict=True)) == found.choice.taus
    (chosen,) = frame[frame["chosen"]].itertuples()
    assert chosen.formula == str(found.proxy.formula) and "<table" in found._repr_html_()
    labels = [label.get_text() for label in found.plot(Figure().subplots()).get_yticklabels()]
    assert labels == frame["contender"].tolist()
    scores = zcproxy.score([found.proxy], found.task, networks, population="all 24")
    assert scores.correlations()["discovered"].networks == 24


def test_the_result_depends_on_the_seed_and_not_on_cache_or_workers(
    folder: Path, trained: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    nets = import_module("trained_nets")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    values = dict(zip(trained["architecture"], trained["accuracy"], strict=True))
    first = zcproxy.discover(nets.models(), values, out="first", **QUICK)
    second = zcproxy.discover(nets.models(), values, out="second", workers=2, cache=folder / "b", **QUICK)
    assert (first.choice, first.proxy.formula) == (second.choice, second.proxy.formula)
    assert (folder / "first" / FILE).read_bytes() == (folder / "second" / FILE).read_bytes()
    third = zcproxy.discover(nets.models(), values, out="third", seed=1, **QUICK)
    assert third.choice.expected != first.choice.expected


def test_labels_of_chance_leave_the_general_proxy_or_promise_nothing(folder: Path, models: Models) -> None:
    values = np.random.default_rng(3).normal(50, 5, len(models))
    found = zcproxy.discover(models, values, **QUICK)
    assert found.expected.low < 0.15
    assert found.expected.tau < 0.4


def test_models_that_fail_are_named_and_the_others_go_on(
    folder: Path, models: Models, trained: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> nn.Module:
        raise RuntimeError("no such layer")

    values = dict(zip(trained["architecture"], trained["accuracy"], strict=True))
    values["1-2-3"] = float("nan")
    with caplog.at_level(logging.WARNING, "zcproxy"):
        found = zcproxy.discover({**models, "1-2-1": broken, "new": broken}, values, **QUICK)
    assert found.labels == 22
    assert list(found.left_out) == ["1-2-1"] and "cannot be built: no such layer" in found.left_out["1-2-1"]
    assert "no accuracy, left out: 'new'; 24 networks are left" in caplog.text
    assert "'1-2-3' has no finite label and is left out; 23 networks are left" in caplog.text
    assert "left out, 22 networks are left: '1-2-1'" in caplog.text


def test_trained_modules_are_noticed(
    folder: Path, models: Models, trained: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    modules = {name: make() for name, make in models.items()}
    modules["3-16-3"](torch.randn(4, 1, 6, 6))
    with caplog.at_level(logging.WARNING, "zcproxy"):
        zcproxy.discover(modules, trained["accuracy"], **QUICK)
    assert "'3-16-3': batch normalisation has seen data" in caplog.text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda models, values: (models, values[:-2]), "24 models and 22 accuracies: give one accuracy per model"),
        (lambda models, values: (list(models.values())[:9], values[:9]), "9 of 9 networks can be used, 16 are needed"),
        (lambda models, values: (models, [1.0] * 24), "all 24 labels equal"),
        (lambda models, values: (models, {"resnet": 0.5, "vit": 1}), "2 of 2 accuracies have no model .* 'resnet', 'v"),
        (lambda models, values: (models, values.to_frame()), "`accuracies` is a DataFrame: give one of its columns"),
        (lambda models, values: (models, 3), "`accuracies` is not one number per model"),
        (lambda models, values: (7, values), "`models` is a int"),
        (lambda models, values: ({}, {}), "`models` is empty"),
        (lambda models, values: ({"a": 3}, {"a": 1}), "the model 'a' is a int"),
        (lambda models, values: ({1: nn.ReLU()}, {"a": 1}), "`models` has the name 1: names are texts"),
    ],
)
def test_bad_input_is_one_line(
    folder: Path, models: Models, trained: pd.DataFrame, change: Callable[..., Any], message: str
) -> None:
    given, values = change(models, trained["accuracy"])
    with pytest.raises(BenchmarkError, match=message) as refused:
        zcproxy.discover(given, values, **QUICK)
    assert "\n" not in str(refused.value)


def test_a_repeated_name_in_a_series_is_refused(folder: Path, models: Models) -> None:
    series = pd.Series([0.1, 0.2], index=["1-2-1", "1-2-1"])
    with pytest.raises(BenchmarkError, match="`accuracies` has '1-2-1' twice"):
        zcproxy.discover(models, series, **QUICK)


def test_the_command_writes_networks_and_proxy(folder: Path, run: Run) -> None:
    options = ("--models", "trained_nets:models", "--labels", "results.csv", "--input", "1x6x6")
    code, out, errors = run("evolve", *options, "--generations", "2", "--out", "found", "--workers", "1")
    assert code == 0, errors
    assert "tau to expect on networks without labels" in out and "24 labels say tau to about" in out
    content = json.loads((folder / "found" / FILE).read_text())
    assert content["formula"] in out.splitlines()
    code, out, errors = run("table", "found.networks", "--proxies", "found/discovered.json", "--allow-code", options[1])
    assert code == 0 and "24 networks" in out.replace("all 24", "24 networks"), errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--models", "trained_nets:models"], "give --labels"),
        (["--models", "trained_nets:models", "--labels", "results.csv"], "give --input"),
        (["digits201", "--models", "a:b", "--labels", "results.csv", "--input", "1x6x6"], "leave out tasks"),
        (
            ["--models", "trained_nets:models", "--labels", "results.csv", "--input", "1x6x6", "--control"],
            "24 labels are few, so that the choice is cross-validated: --control plays no part",
        ),
    ],
)
def test_options_that_do_not_fit_are_named(folder: Path, run: Run, options: list[str], message: str) -> None:
    code, _, errors = run("evolve", *options)
    assert code == 2 and message in errors, errors


def test_an_ordinary_run_on_few_labels_says_that_they_are_few(folder: Path, run: Run) -> None:
    run("benchmark", "from-table", "results.csv", "--model", "trained_nets:build", "--input", "1x6x6", "--out", "mine")
    options = ("--generations", "1", "--networks", "18", "--workers", "1", "--allow-code", "trained_nets:build")
    code, _, errors = run("evolve", "mine", *options, "--new-columns", "0")
    assert code == 0 and "18 labels are few: by chance alone tau on them is off by up to 0.34" in errors, errors


def test_networks_that_give_numbers_are_judged_without_a_cross_entropy(
    folder: Path, trained: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    def regressor(width: int) -> nn.Module:
        return nn.Sequential(nn.Conv2d(1, width, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16 * width, 1))

    losses = [1 / width for width in range(2, 20)]
    models = [partial(regressor, width) for width in range(2, 20)]
    with caplog.at_level(logging.WARNING, "zcproxy"):
        found = zcproxy.discover(models, losses, lower_is_better=True, **QUICK)
    assert "the networks give no logits of classes: probes that need none are left, noise, ones" in caplog.text
    assert found.choice.taus[found.choice.name] > 0.8


def test_many_labels_are_an_ordinary_run(folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zcproxy.cli.discovery.FEW", 20)
    options = ("--models", "trained_nets:models", "--labels", "results.csv", "--input", "1x6x6")
    sizes = ("--networks", "16", "--generations", "1", "--new-columns", "0", "--workers", "1", "--probes", "noise")
    code, out, errors = run("evolve", *options, *sizes, "--compare", "synflow", "--out", "found")
    assert code == 0, errors
    assert "8 unseen of all" in out and "synflow" in out
    assert out.splitlines()[0] == json.loads((folder / "found" / "best.json").read_text())["formula"]
    assert not (folder / "found" / FILE).exists()
    code, _, errors = run("evolve", "--resume", "found", "--generations", "2", "--workers", "1")
    assert code == 2 and "--allow-code trained_nets:models" in errors


class NoGradient(torch.autograd.Function):
    """Runs forwards, and raises where it is differentiated."""

    @staticmethod
    def forward(context: Any, inputs: torch.Tensor) -> torch.Tensor:
        return inputs.clone()

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("no gradient of this layer")


class Undifferentiable(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(64, 10))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return cast("torch.Tensor", NoGradient.apply(self.layers(inputs)))  # type: ignore[no-untyped-call]


def test_models_that_cannot_be_measured_are_named_and_the_others_go_on(
    folder: Path, models: Models, trained: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    values = dict(zip(trained["architecture"], trained["accuracy"], strict=True))
    given: Models = {**models, "1-2-1": Undifferentiable, "3-8-3": Undifferentiable}
    with caplog.at_level(logging.WARNING, "zcproxy"):
        found = zcproxy.discover(given, values, **QUICK)
    assert found.labels == 22 and list(found.left_out) == ["1-2-1", "3-8-3"]
    assert "the network '1-2-1' cannot be measured" in found.left_out["1-2-1"]
    assert "left out, 22 networks are left: '1-2-1', '3-8-3'" in caplog.text and "no gradient of this" in caplog.text
    kept = {name: model for name, model in models.items() if name not in found.left_out}
    alone = zcproxy.discover(kept, {name: values[name] for name in kept}, **QUICK)
    assert alone.proxy == found.proxy and alone.task == found.task
    search = zcproxy.ProxySearch(input_shape=(1, 6, 6), generations=1).fit(given, values)
    assert search.n_networks_ == 22 and list(search.left_out_) == ["1-2-1", "3-8-3"]
    few = dict.fromkeys(list(models)[:9], Undifferentiable)
    with pytest.raises(BenchmarkError, match=r"15 of 24 networks can be measured, 16 are needed; the network '1-2-1'"):
        zcproxy.discover({**models, **few}, values, **QUICK)


def test_networks_that_cannot_be_measured_rank_worst(
    folder: Path, models: Models, trained: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    search = zcproxy.ProxySearch(input_shape=(1, 6, 6), generations=1).fit(models, list(trained["accuracy"]))
    search.best_ = zcproxy.Proxy(parse("sum(frobenius_norm(grad(weight)@ones))"))
    with caplog.at_level(logging.WARNING, "zcproxy"):
        scores = search.predict([models["1-2-1"], Undifferentiable])
    assert np.isfinite(scores[0]) and scores[1] == -np.inf and "not measured, ranked worst" in caplog.text
    with pytest.raises(BenchmarkError, match="none of the networks can be measured"):
        search.predict([Undifferentiable])


def test_networks_of_a_fit_that_is_over_are_freed(folder: Path, models: Models, trained: pd.DataFrame) -> None:
    known = {models[name](): name for name in trained["architecture"]}
    dead = [weakref.ref(model) for model in known]
    search = zcproxy.ProxySearch(input_shape=(1, 6, 6), generations=1)
    search.fit({name: model for model, name in known.items()}, list(trained["accuracy"]))
    found = zcproxy.discover({name: model for model, name in known.items()}, list(trained["accuracy"]), **QUICK)
    task = found.task
    del known
    gc.collect()
    assert len([model for model in dead if model() is not None]) == 24  # the result knows its networks
    assert zcproxy.get_task(task).name == task and pickle.loads(pickle.dumps(found)).proxy == found.proxy
    del found
    gc.collect()
    assert [model for model in dead if model() is not None] == []
    with pytest.raises(BenchmarkError, match="unknown task"):
        zcproxy.get_task(task)
    assert search.best_.formula.size > 0
