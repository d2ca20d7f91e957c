"""The command `zcproxy adapt`: what it writes and says, and one line for what it cannot use."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from zcproxy import get_task
from zcproxy.primitives import parse
from zcproxy.proxy.proxy import Proxy

Command = Callable[..., tuple[int, str, str]]
SIZES = "sum(channels),sum(log(params)),1 / total_params"

OWN = """
from torch import nn

from zcproxy import ChoiceSpace

class Widths(ChoiceSpace):
    name = "widths"
    choices = {"first": range(1, 9), "second": range(1, 9)}

    def build(self, architecture, input_shape, classes):
        chosen = self.decode(architecture)
        return nn.Sequential(
            nn.Conv2d(input_shape[0], chosen["first"], 3), nn.ReLU(), nn.Conv2d(chosen["first"], chosen["second"], 3),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(chosen["second"], classes),
        )
"""


def write_labels(path: Path, networks: int, accuracy: Callable[[int, float], float] = lambda _, each: each) -> None:
    task = get_task("digits201")
    drawn = Random(4).sample(list(task.architectures("all")), networks)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["architecture", "seed", "accuracy"])
        for place, (text, label) in enumerate(zip(drawn, task.labels(drawn).tolist(), strict=True)):
            writer.writerow([text, place, accuracy(place, label)])


def adapt(run: Command, *words: str, task: str = "digits201", candidates: str = SIZES) -> tuple[int, str, str]:
    return run("adapt", task, "--labels", "labels.csv", "--from", candidates, "--workers", "1", *words)


def refused(result: tuple[int, str, str], *parts: str) -> None:
    code, out, err = result
    assert (code, out, len(err.strip().splitlines())) == (2, "", 1)
    assert all(part in err for part in ("zcproxy: ", *parts)), err


def test_it_writes_a_proxy_that_other_commands_take(run: Command, tmp_path: Path) -> None:
    write_labels(tmp_path / "labels.csv", 20)
    code, out, _ = adapt(run)
    assert code == 0
    assert json.loads((tmp_path / "adapted.json").read_text())["formula"] in out.splitlines()
    for part in ("digits201, 20 labels", "tau to expect on networks without labels: 0.", "of sum(channels) alone: "):
        assert part in out
    code, _, err = run("score", "adapted.json", "digits201", "--networks", "100", "--workers", "1")
    assert code == 0 and "adapted was fitted to" in err
    assert "as 20 labels let expect" in " ".join(run("proxy", "show", "adapted.json")[2].split())


def test_the_front_of_a_run_and_one_choice(run: Command, tmp_path: Path) -> None:
    write_labels(tmp_path / "labels.csv", 12)
    for size, formula in enumerate(("sum(params)", "sum(macs)"), 2):
        Proxy(parse(formula), f"size-{size}").save(tmp_path / "front" / f"size-{size}.json")
    code, out, _ = adapt(run, "--rule", "choose", "--out", "c.json", candidates="sum(channels),front")
    assert code == 0 and "front/size-2.json" in out
    assert {"sum(channels)", "sum(params)", "sum(macs)"} & set(out.splitlines())
    again = (tmp_path / "c.json").read_text()
    adapt(run, "--rule", "choose", "--out", "c.json", candidates="sum(channels),front")
    assert (tmp_path / "c.json").read_text() == again


def test_a_space_of_your_own(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_widths.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))
    space = __import__("my_widths").Widths()
    drawn = Random(0).sample(list(space.enumerate()), 10)
    (tmp_path / "labels.csv").write_text(
        "architecture,accuracy\n" + "".join(f'"{each}",{place}\n' for place, each in enumerate(drawn))
    )
    code, out, _ = adapt(run, "--input", "3x8x8", task="my_widths:Widths")
    assert code == 0 and "my_widths:Widths, 10 labels" in out
    refused(adapt(run, task="my_widths:Widths"), "my_widths:Widths")


def test_bad_input_is_one_line(run: Command, tmp_path: Path) -> None:
    refused(adapt(run), "cannot read the labels in labels.csv")
    write_labels(tmp_path / "labels.csv", 9)
    refused(adapt(run), "9 networks have labels: give 10 or more")
    write_labels(tmp_path / "labels.csv", 10, lambda *_: 50.0)
    refused(adapt(run), "all 10 accuracies equal 50: there is no ranking")
    write_labels(tmp_path / "labels.csv", 10)
    refused(adapt(run, task="digits20"), "did you mean digits201")
    refused(adapt(run, task="nats_sss/cifar10"), "the labels name an architecture that is not in nats_sss")
    refused(adapt(run, candidates="zc-general"), "1 different candidates", "zc-general,runs/x/front")
    refused(adapt(run, candidates="zc-general,az_nas"), "'az_nas' sums ranks")
    refused(adapt(run, candidates="zc-general,runs/none.json"), "runs/none.json")
    refused(adapt(run, "--rule", "mean"), "unknown rule 'mean'")
    refused(adapt(run, "--initialisations", "0"), "--initialisations")
    refused(run("adapt", "digits201"), "--labels")
    (tmp_path / "folder").mkdir()
    refused(adapt(run, "--out", "folder"), "folder")
    assert not (tmp_path / "adapted.json").exists()
