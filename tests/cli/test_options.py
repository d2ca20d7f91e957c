"""Numbers and devices are checked before any work, for every command."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from zcproxy.cli.evolve import parse_duration
from zcproxy.errors import ConfigurationError
from zcproxy.evolve import Configuration, Limits, evolve
from zcproxy.models.device import check_device
from zcproxy.names.proxies import resolve_proxy
from zcproxy.ranking.scoring import score_networks
from zcproxy.ranking.table import Plan, build_table
from zcproxy.search import SearchConfiguration, Setting, parse_limit, search
from zcproxy.training.recipe import Recipe

Command = Callable[..., tuple[int, str, str]]

BUILD = ("benchmark", "build", "--space", "nasbench201", "--dataset", "digits", "--out", "b")
ADAPT = ("adapt", "digits201", "--labels", "labels.csv", "--from", "sum(params),sum(macs)")
SEARCH = ("search", "digits201", "--proxy", "sum(params)")
COMMANDS: dict[tuple[str, ...], str] = {
    ("score", "params", "digits201"): "networks seed initialisation workers",
    ("table", "digits201"): "networks initialisations batch-size resamples seed workers",
    ADAPT: "initialisations classes seed workers",
    ("evolve",): "networks budget generations evaluations seed workers max-size batch-size test-networks new-columns "
    "resample sample-seed",
    SEARCH: "evaluations population seed warm-start inner-evaluations niches candidates classes epochs "
    "latency-batch-size initialisation workers",
    BUILD: "networks seeds epochs batch-size learning-rate weight-decay seed workers",
}
NUMBERS = ["-1", "nan", "inf", "-inf", "9" * 30, "9" * 5000, "²", "1e400", ""]
DEVICES = ["gpu", "cpu:5", "meta", "cuda:x", "cuda:-1", "cuda:99999999999999999999", "CPU", "", "x" * 5000, "cpu\n"]


@pytest.mark.parametrize(
    ("command", "option"), [(command, option) for command, options in COMMANDS.items() for option in options.split()]
)
def test_numbers_out_of_range(run: Command, tmp_path: Path, command: tuple[str, ...], option: str) -> None:
    for number in NUMBERS:
        if (option, number) in ((("learning-rate"), "9" * 30), ("weight-decay", "9" * 30)):
            continue  # a number like another
        code, out, error = run(*command, f"--{option}={number}")
        assert (code, out) == (2, ""), (number, error)
        assert "Traceback" not in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "option",
    [
        "channels=²",
        "channels=" + "9" * 5000,
        "channels=0",
        "channels=5000",
        "channels=-1",
        "=3",
        "channels=four",
        "channels=4x",
    ],
)
def test_options_of_a_space(run: Command, tmp_path: Path, option: str) -> None:
    code, _, error = run(*BUILD, "--space-option", option, "--networks", "2")
    assert (code, len(error.strip().splitlines())) == (2, 1)
    assert list(tmp_path.iterdir()) == []


def test_an_option_of_a_space_is_given_once(run: Command) -> None:
    code, _, error = run(*BUILD, "--space-option", "channels=2", "--space-option", "channels=4")
    assert code == 2
    assert "'channels' is given twice" in error


@pytest.mark.parametrize("side", ["²", "9" * 5000, "0", "-1", "1.5", " 64"])
def test_sizes_of_images(run: Command, side: str) -> None:
    code, _, error = run("score", "params", f"nds/darts-imagenet@{side}")
    assert code == 2
    assert "write for example nds/darts-imagenet@96" in error


@pytest.mark.parametrize("text", ["9" * 400 + "s", "0s", "0.0h", "٣s", "8785h", "1h" * 9000, "1e3s", "infs"])
def test_durations(text: str) -> None:
    with pytest.raises(ConfigurationError, match="duration"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["macs=inf", "macs=nan", "macs=٣", "macs=" + "9" * 400, "macs=1e400", "macs=", "=1"])
def test_limits(text: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot read the limit"):
        parse_limit(text)


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0])
def test_numbers_of_python(value: float) -> None:
    for name in ("learning_rate", "weight_decay", "momentum"):
        with pytest.raises(ConfigurationError):
            Recipe(**{name: value})
    for name in ("seconds", "generations", "evaluations"):
        with pytest.raises(ConfigurationError, match="must be positive"):
            Limits(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("device", DEVICES)
def test_devices_that_are_none(run: Command, tmp_path: Path, device: str) -> None:
    (tmp_path / "linear.py").write_text("from torch import nn\ndef net(): return nn.Linear(3, 2)")
    model = ("score", "synflow", "--model", "linear:net", "--input", "3")
    for command in (*COMMANDS, model):
        code, out, error = run(*command, f"--device={device}")
        assert (code, out) == (2, "")
        assert len(error.strip().splitlines()) == 1
        assert "write cpu, cuda, cuda:N or mps" in error
    assert [path.name for path in tmp_path.iterdir()] == ["linear.py"]


def test_the_nearest_device_is_named() -> None:
    for written, meant in (("gpu", "cuda"), ("cudda", "cuda"), ("CPU", "cpu"), ("mpss", "mps")):
        with pytest.raises(ConfigurationError, match=f"did you mean {meant}"):
            check_device(written)


@pytest.mark.skipif(torch.backends.mps.is_available(), reason="the device is there")
def test_a_machine_without_an_apple_gpu_says_so() -> None:
    with pytest.raises(ConfigurationError, match=r"'mps' is not available \(torch finds no Apple GPU here\)"):
        check_device("mps")


@pytest.mark.skipif(torch.cuda.is_available(), reason="the device is there")
def test_a_device_that_is_not_there(run: Command, tmp_path: Path) -> None:
    for command in COMMANDS:
        code, out, error = run(*command, "--device", "cuda")
        assert (code, out) == (2, "")
        assert "the device 'cuda' is not available" in error
    assert list(tmp_path.iterdir()) == []


def test_python_checks_devices_too(tmp_path: Path) -> None:
    proxy = resolve_proxy("params")
    out = tmp_path / "out"
    calls: list[Callable[[], Any]] = [
        lambda: evolve(Configuration(("digits201",), networks=16, device="meta"), Limits(generations=1), out),
        lambda: score_networks([proxy], "digits201", [], population="none", device="meta"),
        lambda: build_table("digits201", [proxy], Plan(networks=4, device="meta")),
        lambda: search(
            SearchConfiguration(Setting("digits201", formula="sum(params)", device="meta"), ("proxy",)), out
        ),
    ]
    for call in calls:
        with pytest.raises(ConfigurationError, match="unknown device 'meta'"):
            call()
    assert not out.exists()
