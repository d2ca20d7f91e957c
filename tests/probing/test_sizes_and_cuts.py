"""Units, stages, cuts and connections of networks whose answers are known."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from zcproxy.benchmarks.nasbench201 import NASBench201Network, NASBench201Space
from zcproxy.benchmarks.nasbench201.encoding import to_text
from zcproxy.columns.table import table_of
from zcproxy.formula.evaluate import Evaluator
from zcproxy.primitives import parse
from zcproxy.probing.connections import INPUT
from zcproxy.probing.coverage import coverage_from
from zcproxy.probing.measure import measure
from zcproxy.probing.structure import Structure, examine
from zcproxy.random import generator
from zcproxy.ranking.coverage import coverage_note

IMAGES = torch.zeros(2, 3, 8, 8)
SPACE = NASBench201Space()


def structure(model: nn.Module, inputs: Tensor = IMAGES) -> Structure:
    model.train()
    return examine(model, inputs)


def value(model: nn.Module, text: str, inputs: Tensor = IMAGES) -> float:
    formula = parse(text)
    table = table_of([measure(model, inputs, None, formula.columns())], formula.columns())
    return float(Evaluator(table.counts, table.values, table.blocks, table.connections)(formula)[0])


def convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Module:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


class Pooled(nn.Module):
    """What is given, global pooling and a classifier."""

    def __init__(self, body: nn.Module, channels: int) -> None:
        super().__init__()
        self.body, self.head = body, nn.Linear(channels, 5)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.body(inputs).mean((2, 3)))


def chain() -> nn.Module:
    """Widths 4, 4, 6, 8 at 64, 64, 16, 4 positions."""
    parts = convolution(3, 4), convolution(4, 4), convolution(4, 6, 2), convolution(6, 8, 2)
    return Pooled(nn.Sequential(*parts), 8)


class Residual(nn.Module):
    """A layer, and a block of two beside what they read."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.one, self.two = convolution(3, 4), convolution(4, 10), convolution(10, 4)

    def forward(self, inputs: Tensor) -> Tensor:
        values = self.stem(inputs)
        return torch.relu(self.two(self.one(values)) + values)


class Squeeze(nn.Module):
    """A layer whose channels are weighed by squeeze-and-excitation."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = convolution(3, 4)
        self.squeeze, self.excite = nn.Conv2d(4, 2, 1), nn.Conv2d(2, 4, 1)
        self.last = convolution(4, 6, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        values = self.stem(inputs)
        weights = self.excite(torch.sigmoid(self.squeeze(nn.functional.adaptive_avg_pool2d(values, 1))))
        return self.last(values * torch.sigmoid(weights))


class ClassToken(nn.Module):
    """Patches, a layer on tokens, and a classifier of the first token."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.mix, self.head = nn.Conv2d(3, 6, 4, 4), nn.Linear(6, 6), nn.Linear(6, 5)

    def forward(self, inputs: Tensor) -> Tensor:
        tokens = self.embed(inputs).flatten(2).transpose(1, 2)
        return self.head(torch.relu(self.mix(tokens))[:, 0])


# What lies behind global pooling


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (chain(), [1, 1, 1, 1, 0]),
        (Pooled(Residual(), 4), [1, 1, 1, 0]),
        (Pooled(Squeeze(), 6), [1, 0, 0, 1, 0]),
        (ClassToken(), [1, 1, 0]),
        (nn.Sequential(convolution(3, 4), nn.Flatten(), nn.Linear(256, 8), nn.Linear(8, 5)), [1, 0, 0]),
    ],
    ids=["chain", "residual", "squeeze", "class token", "flattened"],
)
def test_layers_before_global_pooling(model: nn.Module, expected: list[float]) -> None:
    assert structure(model).layers["before_pooling"] == expected


def test_a_network_without_positions_is_all_body() -> None:
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    found = structure(model, torch.zeros(2, 6))
    assert found.layers["before_pooling"] == [1, 1]
    assert (found.network["stages"], found.network["narrowest_cut"]) == (1, 3)


def test_units_are_channels_times_positions_and_the_classifier_does_not_hide_them() -> None:
    assert structure(chain()).layers["units"] == [256, 256, 96, 32, 5]
    assert value(chain(), "min(log(units))") == pytest.approx(math.log(5))
    assert value(chain(), "body_min(log(units))") == pytest.approx(math.log(32))
    assert value(Pooled(Squeeze(), 6), "body_min(units)") == 96


# Stages


def test_stages_of_a_chain() -> None:
    model = chain()
    found = structure(model)
    assert found.stages == [0, 0, 1, 2, -1]
    assert found.network["stages"] == 3
    assert (found.network["first_reduction"], found.network["last_reduction"]) == (2 / 4, 3 / 4)
    assert found.network["mean_log_positions"] == pytest.approx((2 * math.log(64) + math.log(16) + math.log(4)) / 4)
    assert value(model, "body_mean(log(resolution))") == pytest.approx(found.network["mean_log_positions"])
    macs = [27 * 4 * 64 + 36 * 4 * 64, 36 * 6 * 16, 54 * 8 * 4]
    total = sum(macs) + 40
    assert value(model, "max(stage_sum(macs) / total_macs)") == pytest.approx(max(macs) / total)
    assert value(model, "last(stage_sum(macs) / total_macs)") == pytest.approx(macs[2] / total)
    assert value(model, "sum(log(stage_mean(params)))") == pytest.approx(
        math.log((27 * 4 + 36 * 4) / 2) + math.log(36 * 6) + math.log(54 * 8)
    )


def test_a_network_that_never_reduces_comes_before_any_reduction() -> None:
    found = structure(Pooled(Residual(), 4)).network
    assert (found["stages"], found["first_reduction"], found["last_reduction"]) == (1, 1, 1)


def test_squeeze_and_excitation_ends_no_stage() -> None:
    assert structure(Pooled(Squeeze(), 6)).stages == [0, -1, -1, 1, -1]


# Cuts


def cuts(model: nn.Module) -> tuple[float, float]:
    found = structure(model).network
    return found["narrowest_cut"], found["mean_log_cut"]


def mean_log(units: list[int]) -> float:
    return sum(map(math.log, units)) / len(units)


def test_cuts_of_a_chain_are_its_layers() -> None:
    assert cuts(chain()) == pytest.approx((32, mean_log([256, 256, 96, 32])))


def test_what_a_shortcut_keeps_alive_counts() -> None:
    # before `one` the stem alone, before `two` its result beside the stem's, before pooling the sum
    assert cuts(Pooled(Residual(), 4)) == pytest.approx((256, mean_log([256, 640 + 256, 256])))


def test_two_branches_are_cut_together() -> None:
    class Branches(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.left, self.right = convolution(3, 2), convolution(2, 3), convolution(2, 5)
            self.last = convolution(8, 1)

        def forward(self, inputs: Tensor) -> Tensor:
            values = self.stem(inputs)
            return self.last(torch.cat([self.left(values), self.right(values)], 1))

    # before `left` 2 channels, before `right` 3 and still the 2, before `last` 8, before pooling 1
    assert cuts(Pooled(Branches(), 1)) == pytest.approx((64, mean_log([2 * 64, 5 * 64, 8 * 64, 64])))


def test_the_cut_of_a_class_token_is_that_of_all_tokens() -> None:
    assert cuts(ClassToken()) == pytest.approx((24, mean_log([24])))


def test_parts_of_a_tensor_keep_all_of_it_alive() -> None:
    class Split(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.left, self.right = convolution(3, 4), convolution(2, 2), convolution(2, 2)

        def forward(self, inputs: Tensor) -> Tensor:
            left, right = self.stem(inputs).chunk(2, dim=1)
            return self.left(left) + self.right(right)

    # before `left` 4 channels, before `right` 2 beside all 4, before pooling the sum of 2
    assert cuts(Pooled(Split(), 2)) == pytest.approx((128, mean_log([256, 128 + 256, 128])))


# The plain chain of the same layers


def test_a_chain_is_its_own_null_network() -> None:
    model = chain()
    found = structure(model).network
    assert found["chain_macs"] == found["total_macs"]
    assert found["chain_params"] == sum(
        module.weight.numel() for module in model.modules() if isinstance(module, nn.Conv2d | nn.Linear)
    )


def test_groups_and_branches_differ_from_their_null_network() -> None:
    depthwise = nn.Sequential(nn.Conv2d(3, 6, 1, bias=False), nn.Conv2d(6, 6, 3, padding=1, groups=6, bias=False))
    found = structure(Pooled(depthwise, 6)).network
    assert found["chain_params"] == 18 + 9 * 36 + 30
    assert found["chain_macs"] == (18 + 9 * 36) * 64 + 30


# Connections


def test_edges_of_a_residual_network() -> None:
    # stem, one, two, head; the sum is read once, so that the head reads both terms
    assert set(structure(Pooled(Residual(), 4)).edges) == {(INPUT, 0), (0, 1), (1, 2), (2, 3), (0, 3), (3, 4)}


def test_a_sum_that_several_read_is_a_junction() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.c, self.d = (nn.Linear(3, 3) for _ in range(4))

        def forward(self, inputs: Tensor) -> Tensor:
            values = self.a(inputs) + self.b(inputs)
            return self.c(values) + self.d(values)

    edges = structure(Twice(), torch.zeros(2, 3)).edges
    assert sorted(edges) == [(-1, 0), (-1, 1), (0, 4), (1, 4), (2, 5), (3, 5), (4, 2), (4, 3)]


def random_cells(count: int) -> list[str]:
    rng = generator("cells with paths")
    return [SPACE.sample(rng) for _ in range(count)]


@pytest.mark.parametrize("cell", [*random_cells(6), to_text(["nor_conv_3x3"] * 6)])
def test_connections_of_cells_have_the_paths_of_their_graph(cell: str) -> None:
    torch.manual_seed(0)
    model = NASBench201Network(cell, 5, channels=2, cells=2)
    found = structure(model)
    if not any(found.live):
        assert not found.edges and math.isnan(found.network["narrowest_cut"])
        return
    known = found.network
    assert value(model, "path_kernel(params / params)") == pytest.approx(known["log_paths"], abs=1e-9)
    assert value(model, "heaviest_path(params / params)") == known["longest_path"]
    assert -value(model, "heaviest_path(0 - params / params)") == known["shortest_path"]
    assert value(model, "sum(longest_path_share)") == pytest.approx(known["longest_path"])
    assert value(model, "bottleneck_path(units)") <= value(model, "max(units)")
    assert known["narrowest_cut"] >= min(found.layers["units"][:-1])
    for source, target in found.edges:
        assert INPUT <= source < target or source >= len(found.layers["units"])


@pytest.mark.parametrize("cell", random_cells(4))
def test_expected_sums_over_random_paths(cell: str) -> None:
    torch.manual_seed(0)
    model = NASBench201Network(cell, 5, channels=2, cells=1)
    found = structure(model)
    if not found.edges:
        return
    layers = len(found.layers["params"])
    readers: dict[int, list[int]] = {}
    for source, target in found.edges:
        readers.setdefault(source, []).append(target)
    paths, stack = [], [(INPUT, 0.0)]
    while stack:
        place, total = stack.pop()
        total += found.layers["params"][place] if 0 <= place < layers else 0.0
        if place not in readers:
            paths.append(total)
        stack += [(target, total) for target in readers.get(place, ())]
    assert value(model, "sum(params * path_share)") == pytest.approx(np.mean(paths))


def test_what_cannot_be_traced_is_nan_and_counted() -> None:
    class Rounded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
            self.head = nn.Linear(4, 5)

        def forward(self, inputs: Tensor) -> Tensor:
            return self.head(self.second(torch.relu(self.first(inputs.detach().round()))).mean((2, 3)))

    model = Rounded()
    found = structure(model)
    assert all(found.live) and not found.edges
    assert all(math.isnan(found.network[name]) for name in ("narrowest_cut", "mean_log_cut", "longest_path"))
    assert found.network["stages"] == 1
    assert math.isnan(value(model, "path_kernel(params)"))
    assert value(model, "body_sum(params)") == 27 * 4 + 4 + 36 * 4 + 4
    assert found.coverage.untraced and coverage_from(found.coverage.text) == found.coverage
    note = coverage_note([found.coverage, structure(chain()).coverage])
    assert note is not None and "of 1 of 2 networks paths and cuts, which are NaN" in note


# Blocks where two tensors are alive


class Cells(nn.Module):
    """A stem, and cells that read the two before them, as those of NDS."""

    def __init__(self, cells: int, *, names: bool) -> None:
        super().__init__()
        self.stem, self.head = convolution(3, 4), nn.Linear(4, 5)
        self.cells = nn.ModuleList(Cell() for _ in range(cells))
        if names:
            self.block_ends = ("stem", *(f"cells.{number}" for number in range(cells)))

    def forward(self, inputs: Tensor) -> Tensor:
        before = values = self.stem(inputs)
        for cell in self.cells:
            before, values = values, cell(before, values)
        return self.head(values.mean((2, 3)))


class Cell(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.older, self.newer = convolution(4, 2), convolution(4, 2)
        self.left, self.right = convolution(2, 2), convolution(2, 2)

    def forward(self, older: Tensor, newer: Tensor) -> Tensor:
        one, other = self.older(older), self.newer(newer)
        left = self.left(one) + other
        return torch.cat([left, self.right(left) + one], 1)


@pytest.mark.parametrize("cells", [3, 4, 7])
def test_cells_that_read_the_two_before_them_have_the_blocks_that_they_would_name(cells: int) -> None:
    named, unnamed = (structure(Cells(cells, names=names)) for names in (True, False))
    assert [end.shape for end in unnamed.ends] == [end.shape for end in named.ends]
    assert len(unnamed.ends) == cells + 1
    for one, other in zip(unnamed.ends, named.ends, strict=True):
        assert one.call == other.call
    assert all(one.place < other.place for one, other in pairwise(unnamed.ends))


class Shortcuts(nn.Module):
    """Residual blocks, each with a layer as shortcut that is called after the others."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.head = convolution(3, 4), nn.Linear(4, 5)
        self.bodies = nn.ModuleList(nn.Sequential(convolution(4, 6), convolution(6, 4)) for _ in range(3))
        self.sides = nn.ModuleList(convolution(4, 4) for _ in range(3))

    def forward(self, inputs: Tensor) -> Tensor:
        values = self.stem(inputs)
        for body, side in zip(self.bodies, self.sides, strict=True):
            values = body(values) + side(values)
        return self.head(values.mean((2, 3)))


def test_residual_blocks_are_not_cut() -> None:
    assert [end.call for end in structure(Shortcuts()).ends] == [0, 3, 6, 9]
    assert [end.call for end in structure(Pooled(Residual(), 4)).ends] == [0, 2]
