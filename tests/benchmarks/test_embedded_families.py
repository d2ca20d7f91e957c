"""The families of the digits beside digits201: their spaces, and that their files are what the commands made."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pytest
import torch
from torch import nn

import zcproxy.benchmarks
from zcproxy.benchmarks.digits_cells import space as cells
from zcproxy.benchmarks.digits_mobile.space import MobileBlock, MobileSpace
from zcproxy.benchmarks.digits_stages.space import ResidualBlock, StagesSpace
from zcproxy.benchmarks.digits_vit.network import Attention
from zcproxy.benchmarks.digits_vit.space import ViTSpace
from zcproxy.benchmarks.nds.cell_space import CellSpace
from zcproxy.building.files import CURVES, IMAGES, LABELS, MANIFEST
from zcproxy.building.job import build_network, costs_of, materials_of
from zcproxy.contracts.task import SearchSpace
from zcproxy.correlation import kendall_tau
from zcproxy.errors import BenchmarkError
from zcproxy.models.costs import Costs, calls_of, count_costs
from zcproxy.names.families import embedded_families
from zcproxy.names.tasks import DEFAULT_TASK, get_task
from zcproxy.random import derive_seed
from zcproxy.testing import check_space, check_task
from zcproxy.training.recipe import Recipe
from zcproxy.training.train import train

FAMILIES = [family for family in embedded_families() if family != DEFAULT_TASK]
SPACES: dict[str, SearchSpace] = {
    "digits-stages": StagesSpace(),
    "digits-cells": cells.BandedCellSpace(),
    "digits-mobile": MobileSpace(),
    "digits-vit": ViTSpace(),
}
DIGIT = (1, 12, 12)
LARGEST_FOLDER, LEAST_NETWORKS = 300_000, 300
each_family = pytest.mark.parametrize("family", FAMILIES)
each_space = pytest.mark.parametrize("family", SPACES)


def folder_of(family: str) -> Path:
    return Path(zcproxy.benchmarks.__file__).with_name(family.replace("-", "_"))


@cache
def manifest_of(family: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder_of(family) / MANIFEST).read_text())
    return content


@cache
def labels_of(family: str) -> pd.DataFrame:
    return pd.read_parquet(folder_of(family) / LABELS)


@each_space
@pytest.mark.parametrize("shape", [DIGIT, (3, 24, 24)], ids=str)
def test_spaces_conform(family: str, shape: tuple[int, ...]) -> None:
    check_space(SPACES[family], shape, classes=7)


@each_family
def test_tasks_conform(family: str) -> None:
    task = get_task(family)
    assert task.name == family
    check_task(task)
    assert task.batch(20).inputs.shape == (20, *DIGIT)


@each_family
def test_files_are_small_and_hold_different_networks(family: str) -> None:
    folder = folder_of(family)
    files = {path.name for path in folder.iterdir() if path.suffix != ".py" and path.name != "__pycache__"}
    assert files == {MANIFEST, LABELS, CURVES, IMAGES, "README.md"}
    assert sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) <= LARGEST_FOLDER
    space, labels = SPACES[family], labels_of(family)
    assert len({space.prune(arch) for arch in labels["arch"]}) == len(labels) >= LEAST_NETWORKS
    assert all(space.prune(arch) == arch for arch in labels["arch"])


@each_family
def test_two_trainings_agree_as_the_manifest_and_the_readme_say(family: str) -> None:
    accuracies = labels_of(family).filter(regex=r"^accuracy_\d").dropna()
    assert accuracies.shape[1] == manifest_of(family)["seeds"] == 2
    tau = kendall_tau(accuracies["accuracy_0"].to_numpy(), accuracies["accuracy_1"].to_numpy())
    assert manifest_of(family)["agreement_of_halves"] == pytest.approx(tau, abs=1e-9)
    ceiling = get_task(family).noise_ceiling()
    assert ceiling is not None
    assert ceiling > tau > 0.5
    readme = (folder_of(family) / "README.md").read_text()
    stated = re.search(r"one training against the other \| (0\.\d{3})", readme)
    assert stated is not None
    assert float(stated[1]) == pytest.approx(tau, abs=6e-4)
    least, most = labels_of(family)["accuracy"].agg(["min", "max"])
    assert f"between {least:.1f} and {most:.1f} %" in " ".join(readme.split())


@each_family
def test_the_readme_has_the_command_that_made_the_files(family: str) -> None:
    manifest, readme = manifest_of(family), (folder_of(family) / "README.md").read_text()
    recipe = manifest["recipe"]
    stated = {
        "--space": manifest["space"],
        "--dataset": manifest["dataset"],
        "--networks": manifest["networks"],
        "--seeds": manifest["seeds"],
        "--sampling": manifest["sampling"],
        "--epochs": recipe["epochs"],
        "--batch-size": recipe["batch_size"],
        "--learning-rate": recipe["learning_rate"],
    }
    assert all(f"{option} {value}" in readme for option, value in stated.items()), stated


@each_family
def test_labels_and_costs_are_those_of_its_networks(family: str) -> None:
    manifest, labels = manifest_of(family), labels_of(family)
    space, dataset = materials_of(manifest["space"], (), manifest["dataset"])
    assert dataset.fingerprint() == manifest["dataset_fingerprint"]
    for row in labels.iloc[::40].itertuples():
        assert costs_of(space, row.arch, dataset) == Costs(row.params, round(row.flops * 1e6), row.convolutions)
    row = labels.sort_values("flops").iloc[20]
    seed = derive_seed(space.name, "training", 0)
    trained = train(build_network(space, row["arch"], dataset, seed), dataset, Recipe(**manifest["recipe"]), seed)
    # Equal where the processor adds in the same order; elsewhere rounding grows to a few points over a training.
    assert trained.accuracy == pytest.approx(row["accuracy_0"], abs=8)


def test_modules_halve_and_double_where_their_digits_say() -> None:
    network = StagesSpace().build("8-123114", DIGIT, 10)
    blocks = [call for call in calls_of(network, DIGIT) if isinstance(call.module, ResidualBlock)]
    sizes = [(8, 6), (16, 6), (16, 3), (16, 3), (16, 3), (32, 2)]
    assert [call.outputs for call in blocks] == [(channels, side, side) for channels, side in sizes]


def test_every_arrangement_doubles_twice_and_halves_up_to_three_times() -> None:
    space = StagesSpace()
    found = list(space.enumerate())
    assert len(set(found)) == len(found) == space.size
    for modules in (text.removeprefix("8-") for text in found):
        assert 3 <= len(modules) <= 6
        assert modules.count("3") + modules.count("4") <= 3
        assert modules.count("2") + modules.count("4") == 2
    for text in ("8-1113", "4-4132", "8-42", "8-3334412", "8-4132-"):
        with pytest.raises(BenchmarkError, match="with 3 to 6 of 1, 2, 3, 4, 0 to 3 of them 3 or 4, 2 of them"):
            space.parse(text)


def test_the_multiply_adds_of_cells_are_those_that_torch_counts() -> None:
    space = cells.BandedCellSpace()
    rng = Random(0)
    for architecture in (space.sample(rng) for _ in range(30)):
        macs = space.macs_of(space.decode(architecture))
        assert macs == count_costs(space.build(architecture, DIGIT, 10), DIGIT).macs
        assert cells.LEAST <= macs <= cells.MOST


def test_networks_outside_the_band_are_none_of_the_space() -> None:
    space = cells.BandedCellSpace()
    rest = "/".join([".".join(["skip_connect~0"] * 2 * cells.CELL.nodes)] * 2)
    for text, reason in (
        (f"w4d3/{rest}", "multiply-adds on a digit, not"),
        (f"w5d3/{rest}", "5 channels are not even"),
        (f"w14d3/{rest}", "the width is one of 4, 6"),
        (f"w8d9/{rest}", "the depth one of 3, 4"),
    ):
        with pytest.raises(BenchmarkError, match=reason):
            space.parse(text)
    first, second = (space.sample(Random(seed)) for seed in (1, 2))
    children = [space.crossover(first, second, Random(seed)) for seed in range(40)]
    assert first in children and len(set(children)) > 5
    assert all(space.parse(child) == child for child in children)


def test_the_size_of_the_band_is_what_enumeration_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    few = cells.CellFamily(("skip_connect", "conv_1x1", "conv_3x3"), nodes=1, loose_ends=False)
    monkeypatch.setattr(cells, "CELL", few)
    space = cells.BandedCellSpace()
    found = list(space.enumerate())
    assert len(set(found)) == len(found) == space.size > 1000
    assert all(space.parse(text) == text for text in found[:: len(found) // 50])
    macs = [space.macs_of(CellSpace.decode(space, text)) for text in CellSpace.enumerate(space)]
    assert sum(cells.LEAST <= number <= cells.MOST for number in macs) == space.size < len(macs)


def test_a_skip_is_taken_only_where_a_block_keeps_the_shape() -> None:
    space = MobileSpace()
    text = "depth1=1 kernel1=3 expansion1=3 skip1=yes depth2=2 kernel2=5 expansion2=1 skip2=yes"
    assert space.prune(text) == text.replace("skip1=yes", "skip1=no") == space.equivalence_class(text)
    for written, passes in ((text, True), (text.replace("skip2=yes", "skip2=no"), False)):
        blocks = [module for module in space.build(written, DIGIT, 10).modules() if isinstance(module, MobileBlock)]
        for parameter in (parameter for block in blocks for parameter in block.parameters()):
            nn.init.zeros_(parameter)  # a block gives zeros, and its input where it is skipped
        inputs = torch.randn(2, 16, 3, 3)
        assert not any(bool(block(torch.randn(2, 8, 6, 6)).any()) for block in blocks[:2])
        assert torch.equal(blocks[2](inputs), inputs if passes else torch.zeros_like(inputs))


def test_mobile_blocks_have_the_chosen_kernel_and_expansion() -> None:
    text = "depth1=1 kernel1=5 expansion1=1 skip1=no depth2=2 kernel2=3 expansion2=6 skip2=no"
    network = MobileSpace().build(text, DIGIT, 10)
    deep = [module for module in network.modules() if isinstance(module, nn.Conv2d) and module.groups > 1]
    assert [(module.kernel_size[0], module.groups) for module in deep] == [(5, 8), (3, 48), (3, 96)]
    blocks = [call for call in calls_of(network, DIGIT) if isinstance(call.module, MobileBlock)]
    assert [call.outputs for call in blocks] == [(8, 6, 6), (16, 3, 3), (16, 3, 3)]
    assert len({MobileSpace().prune(other) for other in MobileSpace().enumerate()}) == 1764


def test_attention_is_that_of_torch() -> None:
    torch.manual_seed(0)
    ours, tokens = Attention(24, 4), torch.randn(3, 9, 24)
    theirs = nn.MultiheadAttention(24, 4, batch_first=True)
    projections = (ours.query, ours.key, ours.value)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([part.weight for part in projections]))
        theirs.in_proj_bias.copy_(torch.cat([part.bias for part in projections]))
        theirs.out_proj.load_state_dict(ours.output.state_dict())
    assert torch.allclose(ours(tokens), theirs(tokens, tokens, tokens)[0], atol=1e-6)


def test_vision_transformers_see_every_patch() -> None:
    torch.manual_seed(0)
    network = ViTSpace().build("patch=3 width=16 heads=2 depth=2 ratio=4", DIGIT, 10)
    images = torch.randn(1, *DIGIT, requires_grad=True)
    network(images)[0, 0].backward()
    assert images.grad is not None
    assert (images.grad != 0).all()
    with pytest.raises(BenchmarkError, match="height and width 6 divides"):
        ViTSpace().build("patch=6 width=16 heads=2 depth=2 ratio=4", (1, 8, 12), 10)


@each_space
def test_inputs_that_are_no_images(family: str) -> None:
    with pytest.raises(BenchmarkError, match="take"):
        SPACES[family].build(SPACES[family].sample(Random(0)), (2, 5, 12, 12), 10)
