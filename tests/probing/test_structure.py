from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from random import Random

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from zcproxy.benchmarks.nasbench201 import NASBench201Network, NASBench201Space
from zcproxy.benchmarks.nasbench201.encoding import to_operations, to_text
from zcproxy.benchmarks.shared.four_node_cells import EDGES
from zcproxy.formula import Kind
from zcproxy.primitives import parse
from zcproxy.probing.descriptors import LAYER_DESCRIPTORS, NETWORK_DESCRIPTORS
from zcproxy.probing.measure import measure
from zcproxy.probing.structure import Structure, examine

SPACE = NASBench201Space()
Case = tuple[nn.Module, Tensor]


def structure(model: nn.Module, inputs: Tensor) -> Structure:
    model.train()
    return examine(model, inputs)


def small(cell: str, cells: int = 1) -> NASBench201Network:
    torch.manual_seed(0)
    return NASBench201Network(cell, 5, channels=2, cells=cells)


# Paths, counted one by one


def cell_paths(operations: Sequence[str], numbers: dict[int, int]) -> list[list[int]]:
    """All ways from node 0 to node 3, each as the numbers of its convolutions in order of execution."""
    found = []
    stack: list[tuple[int, list[int]]] = [(0, [])]
    while stack:
        node, layers = stack.pop()
        if node == 3:
            found.append(layers)
            continue
        for edge, (source, target) in enumerate(EDGES):
            if source == node and operations[edge] != "none":
                stack.append((target, [*layers, *([numbers[edge]] if edge in numbers else [])]))
    return found


def network_paths(cell: str, cells: int) -> tuple[list[list[int]], int]:
    """All ways through the network, and its number of layers."""
    operations = to_operations(cell)
    paths, layers = [[0]], 1  # the stem
    for stage in range(3):
        if stage > 0:  # the shortcut has one convolution, the body two
            step = [[layers], [layers + 1, layers + 2]]
            layers += 3
            paths = [path + rest for path in paths for rest in step]
        for _ in range(cells):
            numbers = {}
            for edge in sorted(range(6), key=lambda index: (EDGES[index][1], EDGES[index][0])):
                if operations[edge].startswith("nor_conv"):
                    numbers[edge] = layers
                    layers += 1
            paths = [path + rest for path in paths for rest in cell_paths(operations, numbers)]
    return [[*path, layers] for path in paths], layers + 1


def random_cells(count: int) -> list[str]:
    rng = Random(11)
    return [SPACE.sample(rng) for _ in range(count)] + [
        to_text(["nor_conv_3x3"] * 6),
        to_text(["skip_connect"] * 6),
        to_text(["avg_pool_3x3", "none", "nor_conv_1x1", "none", "none", "nor_conv_3x3"]),
        to_text(["nor_conv_3x3", "none", "none", "skip_connect", "none", "nor_conv_1x1"]),
    ]


@pytest.mark.parametrize("cell", random_cells(12))
def test_paths_of_a_cell_are_those_counted_one_by_one(cell: str) -> None:
    paths, layers = network_paths(cell, cells=1)
    found = structure(small(cell), torch.zeros(2, 3, 8, 8))
    assert len(found.live) == layers
    if not paths:
        assert found.network["log_paths"] == -math.inf
        assert math.isnan(found.network["shortest_path"]) and math.isnan(found.network["longest_path"])
        assert not any(found.live)
        return
    assert found.network["log_paths"] == pytest.approx(math.log(len(paths)), rel=1e-12)
    assert found.network["shortest_path"] == min(map(len, paths))
    assert found.network["longest_path"] == max(map(len, paths))
    shares = [sum(layer in path for path in paths) / len(paths) for layer in range(layers)]
    assert found.live == [share > 0 for share in shares]
    np.testing.assert_allclose(found.layers["path_share"], [share for share in shares if share > 0], rtol=1e-12)


def test_paths_multiply_over_cells() -> None:
    cell = to_text(["nor_conv_1x1"] * 6)
    found = structure(small(cell, cells=5), torch.zeros(2, 3, 8, 8)).network
    assert found["log_paths"] == pytest.approx(15 * math.log(4) + 2 * math.log(2), rel=1e-12)
    assert (found["shortest_path"], found["longest_path"]) == (1 + 15 + 2 + 1, 1 + 45 + 4 + 1)


class Blocks(nn.Module):
    """Residual blocks: body of two layers beside an identity or a layer."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.a, self.b = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.c, self.d = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 1)
        self.shortcut = nn.Conv2d(4, 4, 1)
        self.head = nn.Linear(4, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        values = torch.relu(self.stem(inputs))
        values = torch.relu(self.b(torch.relu(self.a(values))) + values)
        values = torch.relu(self.d(torch.relu(self.c(values))) + self.shortcut(values))
        return self.head(values.mean((2, 3)))


def test_paths_of_a_residual_network() -> None:
    found = structure(Blocks(), torch.zeros(2, 3, 6, 6))
    assert found.network["log_paths"] == pytest.approx(math.log(4))
    assert found.network["shortest_path"] == 3  # stem, shortcut, head
    assert found.network["longest_path"] == 6  # stem, a, b, c, d, head
    # In order of execution: stem, a, b, c, d, shortcut, head
    assert found.layers["path_share"] == pytest.approx([1, 0.5, 0.5, 0.5, 0.5, 0.5, 1])


def test_a_chain_has_one_path() -> None:
    found = structure(nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 4)), torch.zeros(2, 6))
    assert found.network["log_paths"] == 0.0
    assert found.network["shortest_path"] == found.network["longest_path"] == 2
    assert found.layers["path_share"] == [1.0, 1.0]


def test_more_paths_than_a_float_can_hold() -> None:
    class Doubling(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(3, 3)

        def forward(self, inputs: Tensor) -> Tensor:
            values = self.layer(inputs)
            for _ in range(1200):
                values = 0.5 * (values + values.clone())
            return values

    found = structure(Doubling(), torch.zeros(2, 3))
    assert found.network["log_paths"] == pytest.approx(1200 * math.log(2))
    assert found.layers["path_share"] == [1.0]


# Sizes


def test_descriptors_of_a_convolution_and_a_linear_layer() -> None:
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False),
        nn.ReLU(),
        nn.Conv2d(8, 4, (1, 3), groups=2),
        nn.Flatten(),
        nn.Linear(4 * 4 * 2, 5),
    )
    found = structure(model, torch.zeros(2, 3, 8, 8)).layers
    # 8 x 4 x 4 outputs of 27 inputs; 4 x 4 x 2 outputs of 4 x 3 inputs; 5 outputs of 32 inputs
    assert found["params"] == [8 * 27, 4 * 12 + 4, 5 * 32 + 5]
    assert found["macs"] == [8 * 16 * 27, 32 * 12, 5 * 32]
    assert found["fan_in"] == [27, 12, 32]
    assert found["channels"] == [8, 4, 5]
    assert found["in_channels"] == [3, 8, 32]
    assert found["resolution"] == [16, 8, 1]
    assert found["kernel"] == [9, 3, 1]
    assert found["groups"] == [1, 2, 1]
    assert found["relative_depth"] == [0.0, 0.5, 1.0]


def test_descriptors_of_one_dimension_and_of_tokens() -> None:
    found = structure(nn.Sequential(nn.Conv1d(3, 4, 3), nn.Flatten(1), nn.Linear(24, 2)), torch.zeros(2, 3, 8)).layers
    assert (found["macs"][0], found["resolution"][0], found["kernel"][0]) == (4 * 6 * 9, 6, 3)
    tokens = structure(nn.Sequential(nn.Linear(6, 7), nn.Flatten(1), nn.Linear(35, 2)), torch.zeros(2, 5, 6)).layers
    assert (tokens["macs"][0], tokens["resolution"][0], tokens["channels"][0]) == (5 * 7 * 6, 5, 7)


@pytest.mark.parametrize("cell", random_cells(3)[:3])
def test_totals_count_everything(cell: str) -> None:
    model = small(cell)
    macs = []

    def count(module: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        macs.append(output[0].numel() * module.weight[0].numel())  # type: ignore[index, operator]

    handles = [item.register_forward_hook(count) for item in model.modules() if isinstance(item, nn.Conv2d | nn.Linear)]
    model(torch.zeros(2, 3, 8, 8))
    for handle in handles:
        handle.remove()
    found = structure(model, torch.zeros(2, 3, 8, 8))
    assert found.network["total_macs"] == sum(macs)
    assert found.network["total_params"] == sum(value.numel() for value in model.parameters())
    assert found.network["depth"] == sum(found.live) == len(found.layers["params"])


def test_the_batch_size_and_the_values_of_the_input_do_not_matter(case: Case) -> None:
    model, inputs = case
    columns = [parse(name) for name in (*LAYER_DESCRIPTORS, *NETWORK_DESCRIPTORS)]
    first = measure(model, inputs, None, columns)
    second = measure(model, 7.0 * inputs[:3] - 1.0, None, columns)
    for column in columns:
        np.testing.assert_array_equal(first.values[column], second.values[column])
        length = first.layers if column.kind is Kind.LAYER else 1
        assert first.values[column].shape == (length,) and np.isfinite(first.values[column]).all()


# Dead parts

DEAD = [
    to_text(["nor_conv_3x3", "nor_conv_1x1", "none", "nor_conv_3x3", "none", "none"]),  # nodes 1 and 2 lead nowhere
    to_text(["none", "nor_conv_1x1", "nor_conv_3x3", "none", "nor_conv_1x1", "nor_conv_3x3"]),  # node 1 gets nothing
    to_text(["nor_conv_3x3", "none", "none", "skip_connect", "none", "nor_conv_1x1"]),
    to_text(["avg_pool_3x3", "nor_conv_3x3", "none", "nor_conv_1x1", "nor_conv_3x3", "none"]),
]
TOTALS = ("total_params", "total_macs")
"""Said to count dead layers."""

NOT_EQUAL = (*TOTALS, "dead_layers")


def described(cell: str, names: Sequence[str]) -> dict[str, np.ndarray]:
    columns = {name: parse(name) for name in names}
    measured = measure(small(cell, cells=2), torch.zeros(2, 3, 8, 8), None, columns.values())
    return {name: measured.values[column] for name, column in columns.items()}


@pytest.mark.parametrize("cell", DEAD)
def test_a_pruned_cell_has_the_same_descriptors(cell: str) -> None:
    assert SPACE.prune(cell) != cell
    names = [name for name in (*LAYER_DESCRIPTORS, *NETWORK_DESCRIPTORS) if name not in (*NOT_EQUAL, "relative_depth")]
    before, after = described(cell, names), described(SPACE.prune(cell), names)
    for name in names:
        np.testing.assert_array_equal(before[name], after[name], err_msg=name)


@pytest.mark.parametrize("cell", DEAD)
def test_a_pruned_cell_has_the_same_relative_depths(cell: str) -> None:
    before, after = described(cell, ["relative_depth"]), described(SPACE.prune(cell), ["relative_depth"])
    np.testing.assert_allclose(before["relative_depth"], after["relative_depth"])


@pytest.mark.parametrize("cell", DEAD)
def test_dead_layers_are_counted(cell: str) -> None:
    names = ["depth", "dead_layers"]
    before, after = described(cell, names), described(SPACE.prune(cell), names)
    layers = sum(isinstance(module, nn.Conv2d | nn.Linear) for module in small(cell, cells=2).modules())
    assert after["dead_layers"] == 0 < before["dead_layers"]
    assert before["depth"] + before["dead_layers"] == layers and before["depth"] == after["depth"]


def test_layers_behind_a_non_linearity() -> None:
    layers = [nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.AvgPool2d(2), nn.Conv2d(4, 4, 1)]
    model = nn.Sequential(*layers, nn.Flatten(), nn.GELU(), nn.Linear(16, 3))
    assert structure(model, torch.zeros(2, 3, 8, 8)).layers["is_activated"] == [0.0, 1.0, 0.0, 1.0]


@pytest.mark.parametrize("name", TOTALS)
def test_totals_say_that_they_count_dead_layers(name: str) -> None:
    assert "dead layers included" in NETWORK_DESCRIPTORS[name]
    before, after = described(DEAD[0], [name]), described(SPACE.prune(DEAD[0]), [name])
    assert before[name] > after[name]


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_a_live_network_is_live_at_any_scale(network: Callable[..., Case], scale: float) -> None:
    perceptron = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 4))
    for model, inputs in ((perceptron, torch.randn(6, 6)), network("residual"), network("cell")):
        expected = structure(model, inputs).live
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(scale)
        assert structure(model, inputs).live == expected
