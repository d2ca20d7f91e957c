"""Every space and task of the project goes through the kit that users have: `zcproxy.testing`."""

from __future__ import annotations

import ast
import csv
import gzip
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from made_tables import counted_table, write_table
from torch import nn

from zcproxy.benchmarks.hat import TranslationSpace
from zcproxy.benchmarks.nasbench201 import NASBench201Space
from zcproxy.benchmarks.nats_sss import NATSSizeSpace
from zcproxy.benchmarks.once_for_all import MobileNetV3Space, ResNet50Space
from zcproxy.benchmarks.shared.table_task import TableTask
from zcproxy.benchmarks.transnas101 import MacroSpace, MicroSpace
from zcproxy.contracts.choice_space import ChoiceSpace
from zcproxy.contracts.task import SearchSpace
from zcproxy.errors import BenchmarkError, ZcproxyError
from zcproxy.images.published import Images, image_batch
from zcproxy.names.spaces import get_space, space_names
from zcproxy.names.tasks import DEFAULT_TASK, get_task
from zcproxy.testing import check_space, check_task

Command = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    ("space", "input_shape"),
    [
        (NASBench201Space(4, 1), (3, 16, 16)),
        (NATSSizeSpace(), (3, 16, 16)),
        (MicroSpace(base=8), (3, 64, 64)),
        (MicroSpace(base=8), (9, 3, 64, 64)),
        (MacroSpace(base=8), (3, 64, 64)),
        (MacroSpace(base=8), (9, 3, 64, 64)),
        (MobileNetV3Space(), (3, 64, 64)),
        (ResNet50Space(), (3, 64, 64)),
        (TranslationSpace(), (2, 7, 640)),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_spaces_conform(space: SearchSpace, input_shape: tuple[int, ...]) -> None:
    check_space(space, input_shape, classes=7)


def test_the_embedded_task_conforms() -> None:
    check_task(get_task(DEFAULT_TASK))


@pytest.mark.parametrize(
    "name",
    [
        *("nasbench201/imagenet16-120", "nats_sss/cifar10", "nds/resnext-a-imagenet", "nds/darts-imagenet@40"),
        "nds/resnet-lr-wd-imagenet@40",
        "nds/vanilla-lr-wd-imagenet@40",
        "nasbench101/cifar10",
        *("transnas101/micro-scene", "transnas101/macro-jigsaw", "ofa_mobilenetv3/imagenet"),
    ],
)
def test_tasks_conform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("ZCPROXY_DATA", str(tmp_path))
    task = get_task(name)
    assert isinstance(task, TableTask)
    write_table(task.source, counted_table(task, 6))
    check_task(task, samples=2)
    batch = task.batch(4)
    assert batch.inputs.shape == (4, *task.input_shape)
    assert 0 <= batch.targets.min() <= batch.targets.max() < task.classes


def test_spaces_have_names() -> None:
    for name in space_names():
        assert get_space(name).name == name


def test_images_of_another_size(made_data: Path) -> None:
    small, default = get_task("nds/darts-imagenet@40"), get_task("nds/darts-imagenet")
    assert (small.name, small.input_shape, default.input_shape) == ("nds/darts-imagenet@40", (3, 40, 40), (3, 64, 64))
    assert small.labels(small.architectures("all")).tolist() == default.labels(default.architectures("all")).tolist()
    assert small.batch(2).targets.tolist() == default.batch(2).targets.tolist()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nds/darts-cifar10@64", "nds/darts-cifar10 has images of one size: leave out '@64'"),
        ("nasbench201/cifar10@16", "has images of one size"),
        ("nds/darts-imagenet@", "cannot read the size of images in 'nds/darts-imagenet@'"),
        ("nds/darts-imagenet@32", "images of 32 pixels and less get the stem of CIFAR-10"),
        ("nds/darts-imagenet@x", "write for example nds/darts-imagenet@96"),
    ],
)
def test_sizes_that_are_none(name: str, message: str) -> None:
    with pytest.raises(ZcproxyError, match=message):
        get_task(name)


def test_images_that_are_too_large(made_data: Path) -> None:
    for name, most in (("nds/darts-imagenet@225", 224), ("transnas101/macro-jigsaw@75", 74)):
        with pytest.raises(BenchmarkError, match=f"gives 1 to {most}"):
            get_task(name).batch(2)


def test_tiles_of_a_puzzle_are_those_of_the_photograph(made_data: Path) -> None:
    whole = image_batch(Images("taskonomy", 96), 3, 64).inputs
    puzzle = image_batch(Images("taskonomy", 32, puzzle=True), 3, 1000)
    for image, tiles in zip(whole, puzzle.inputs, strict=True):
        parts = [image[:, row : row + 32, column : column + 32] for row in (0, 32, 64) for column in (0, 32, 64)]
        places = [next(place for place, part in enumerate(parts) if torch.equal(part, tile)) for tile in tiles]
        assert sorted(places) == list(range(9))
    assert len(set(puzzle.targets.tolist())) == 3


OWN = """
import numpy as np
from zcproxy import get_task

class Own:
    name = "users_task:Own"
    def __init__(self):
        self.digits = get_task("digits201")
    def __getattr__(self, name):
        return getattr(self.digits, name)

class Renamed(Own):
    name = "other"
"""


def test_a_task_of_ones_own(run: Command, tmp_path: Path) -> None:
    (tmp_path / "users_task.py").write_text(OWN)
    code, shown, _ = run("score", "mean(std(weight))", "users_task:Own", "--networks", "6")
    assert (code, "users_task:Own, 6 of all" in shown) == (0, True)
    code, _, error = run("score", "mean(std(weight))", "users_task:Renamed", "--networks", "6")
    assert (code, "calls itself 'other'" in error) == (2, True)
    code, _, error = run("score", "mean(std(weight))", "users_task:OWN", "--networks", "6")
    assert (code, "'users_task' has no 'OWN'" in error) == (2, True)
    code, _, error = run("score", "mean(std(weight))", "users_task:np", "--networks", "6")
    assert (code, "is not a task, it has no" in error) == (2, True)


def test_entry_points_of_installed_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "users_package-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: users-package\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text(
        "[zcproxy.tasks]\nmine = users_points:mine\n[zcproxy.spaces]\ntiny = users_points:tiny\n"
    )
    (tmp_path / "users_points.py").write_text(
        "from zcproxy.benchmarks.nasbench201 import NASBench201Space\n"
        "from zcproxy.benchmarks.nats_sss.tasks import NATSSizeTask\n"
        "def tiny(channels=4):\n    return NASBench201Space(channels, 1)\n"
        "mine = NATSSizeTask('cifar10')\nmine.name = 'mine'\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert get_task("mine").space.name == "nats_sss"
    assert "tiny" in space_names()
    assert get_space("tiny", {"channels": 8}).name == "nasbench201"


class Pair(ChoiceSpace):
    name = "pair"
    choices = {"width": (1, 2), "depth": (1, 2, 3)}  # noqa: RUF012

    def build(self, architecture: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        options = self.decode(architecture)
        width = int(options["width"])
        return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(input_shape), width), nn.Linear(width, classes))


class OtherLogits(Pair):
    def build(self, architecture: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        return super().build(architecture, input_shape, classes + 1)


class OwnNeighbour(Pair):
    def neighbours(self, architecture: str) -> list[str]:
        return [architecture, *super().neighbours(architecture)]


class Repeating(Pair):
    def enumerate(self) -> Iterator[str]:
        yield from [next(super().enumerate())] * 6


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (OtherLogits(), "logits have shape"),
        (OwnNeighbour(), "its own neighbour"),
        (Repeating(), "repeats or ends early"),
    ],
)
def test_the_kit_finds_what_is_wrong(space: SearchSpace, message: str) -> None:
    check_space(Pair(), (4,), 2)
    with pytest.raises(AssertionError, match=message):
        check_space(space, (4,), 2)


# TransNAS-Bench-101


def test_transnas_architectures_are_those_of_the_table(real_data: Path) -> None:
    with gzip.open(real_data / "transnas101" / "transbench101_jigsaw.csv.gz", "rt") as stream:
        rows = list(csv.DictReader(stream))
    for space in (MicroSpace(), MacroSpace()):
        kind = space.name.removeprefix("transnas101_")
        published = {row["arch_str"] for row in rows if row["search_space"] == kind}
        assert set(space.enumerate()) == published
        assert space.size == len(published) == {"micro": 4096, "macro": 3256}[kind]


@pytest.mark.parametrize("text", ["64-41414-1_02_334", "64-41414-102333", "64-4141-1_02_333", "64-4111-basic", ""])
def test_transnas_text_of_another_space(text: str) -> None:
    with pytest.raises(BenchmarkError, match="is not an architecture of transnas101_micro"):
        MicroSpace().parse(text)
    if text != "64-4111-basic":
        with pytest.raises(BenchmarkError, match="is not an architecture of transnas101_macro"):
            MacroSpace().parse(text)


def test_the_first_block_of_a_transnas_module_changes_the_shape() -> None:
    network = MacroSpace(base=8).build("64-4312-basic", (3, 64, 64), 5)
    shapes = []
    for part in list(network.get_submodule("encoder").children())[3:]:
        part.register_forward_hook(lambda *hooked: shapes.append(tuple(hooked[2].shape[1:])))
    network(torch.randn(2, 3, 64, 64))
    assert shapes == [(16, 8, 8)] * 2 + [(16, 4, 4)] * 4 + [(32, 4, 4)] * 2


# Once-for-All MobileNetV3


def settings(real_data: Path) -> Iterator[tuple[dict[str, Any], int, int]]:
    for path in sorted((real_data / "ofa_mobilenetv3").glob("*nsga2*.csv.gz")):
        with gzip.open(path, "rt") as stream:
            for row in csv.DictReader(stream):
                yield ast.literal_eval(row["Sub-network"]), int(row["Model Parameters"]), int(row["MACs"])


@pytest.mark.usefixtures("unfilled")
def test_parameters_and_multiply_adds_of_mobilenetv3_are_the_published_ones(real_data: Path) -> None:
    space, differing, seen = MobileNetV3Space(), [], 0

    def count(module: nn.Module, _: object, output: torch.Tensor) -> None:
        nonlocal counted
        weight = module.get_parameter("weight")
        positions = math.prod(output.shape[2:])
        counted += weight.numel() * positions

    for setting, params, macs in settings(real_data):
        counted = 0
        network = space.build(space.from_official(setting), (3, 224, 224), 1000).eval()
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                module.register_forward_hook(count)
        with torch.no_grad():
            network(torch.empty(0, 3, *2 * setting["r"]))  # no image: shapes are what counts
        seen += 1
        if (sum(parameter.numel() for parameter in network.parameters()), counted) != (params, macs):
            differing.append(setting)
    assert seen > 900
    assert differing == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("k3e3.k3e3", "1 stages, expected 5"),
        ("k3e3/k3e3/k3e3/k3e3/k3e3", "has 1 blocks, expected 2 to 4"),
        ("k9e3.k3e3/a", "the block 'k9e3' is not"),
        ("", "the block '' is not"),
    ],
)
def test_mobilenetv3_text_of_another_space(text: str, reason: str) -> None:
    with pytest.raises(BenchmarkError, match=reason):
        MobileNetV3Space().parse(text)


@pytest.mark.parametrize(
    "setting", [{}, {"ks": [3], "e": [3], "d": [2] * 5}, {"ks": [9] * 20, "e": [3] * 20, "d": [2] * 5}]
)
def test_settings_that_are_none(setting: dict[str, Any]) -> None:
    with pytest.raises(BenchmarkError):
        MobileNetV3Space().from_official(setting)
