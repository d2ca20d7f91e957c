"""Multiply-adds against counts by hand and against published ones."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zcproxy.models.costs import count_costs
from zcproxy.models.macs import count_macs
from zcproxy.names.tasks import get_task
from zcproxy.primitives import parse
from zcproxy.probing.measure import measure


def total_macs(network: nn.Module, shape: tuple[int, ...]) -> float:
    """Return what the descriptor says."""
    column = parse("total_macs")
    return float(measure(network, torch.zeros(3, *shape), None, [column]).values[column][0])


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = self.attention(inputs, inputs, inputs)[0]
        return outputs


class Computed(nn.Module):
    """What a function makes of inputs and parameters."""

    def __init__(self, function: Callable[..., Tensor], *shapes: tuple[int, ...]) -> None:
        super().__init__()
        self.function = function
        self.values = nn.ParameterList(nn.Parameter(torch.ones(shape)) for shape in shapes)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.function(inputs, *self.values)


class Functions(nn.Module):
    """Products without a layer: attention over the inputs themselves, a function's convolution, a matrix of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.ones(6, 4, 3))
        self.matrix = nn.Parameter(torch.ones(6, 5))

    def forward(self, inputs: Tensor) -> Tensor:
        attended = nn.functional.scaled_dot_product_attention(inputs, inputs, inputs)
        return nn.functional.conv1d(attended, self.kernel).mT @ self.matrix


@pytest.mark.parametrize(
    ("network", "shape", "expected"),
    [
        (nn.Conv1d(4, 6, 3), (4, 10), 4 * 6 * 3 * 8),
        (nn.Conv2d(4, 6, 3, stride=2, groups=2), (4, 9, 9), 2 * 6 * 9 * 16),
        (nn.Conv3d(4, 6, 3), (4, 5, 5, 5), 4 * 6 * 27 * 27),
        (nn.ConvTranspose1d(4, 6, 3, stride=2, groups=2), (4, 5), 4 * 3 * 3 * 5),
        (nn.ConvTranspose2d(4, 6, 3, stride=2), (4, 5, 5), 4 * 6 * 9 * 25),
        (nn.Linear(4, 6, bias=True), (7, 4), 7 * 24),
        (nn.LSTM(4, 6, batch_first=True), (5, 4), 5 * 4 * 6 * (4 + 6)),
        (nn.GRU(4, 6, num_layers=2, batch_first=True), (5, 4), 5 * 3 * 6 * (4 + 6 + 6 + 6)),
        (Attention(), (5, 8), 4 * 5 * 64 + 2 * 25 * 8),
        (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (5, 8), 4 * 5 * 64 + 2 * 25 * 8 + 2 * 5 * 8 * 16),
        (Functions(), (4, 10), 2 * 4 * 4 * 10 + 4 * 6 * 3 * 8 + 8 * 6 * 5),
        (nn.Sequential(nn.BatchNorm1d(4), nn.ReLU(), nn.AvgPool1d(2)), (4, 10), 0),
        (nn.Linear(4, 6).double(), (4,), 24),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else None,
)
def test_products_of_every_kind_of_layer(network: nn.Module, shape: tuple[int, ...], expected: int) -> None:
    assert count_costs(network, shape).macs == expected


PRODUCTS = {
    "matrix and vector": (Computed(lambda x, w: x[0] @ w, (4,)), (3, 4), 12),
    "added vector": (Computed(lambda x, b, w: torch.addmv(b, x[0], w), (3,), (4,)), (3, 4), 12),
    "two vectors": (Computed(lambda x, w: x[0] @ w, (4,)), (4,), 4),
    "two vectors by name": (Computed(lambda x, w: torch.vdot(x[0], w), (4,)), (4,), 4),
    "added batches": (Computed(lambda x, b, w: torch.addbmm(b, x, w), (3, 5), (1, 4, 5)), (3, 4), 60),
    "bilinear": (Computed(lambda x, w: F.bilinear(x, x[:, :3], w), (6, 4, 3)), (4,), 72),
    "factors of a weight": (Computed(lambda x, a, b: x @ (a @ b), (4, 2), (2, 5)), (4,), 4 * 2 * 5 + 4 * 5),
    "samples": (Computed(lambda x, w: x @ x.mT @ w, (3, 5)), (3, 4), 3 * 4 * 3 + 3 * 3 * 5),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_that_torch_does_not_count_or_that_are_no_layers(name: str) -> None:
    network, shape, expected = PRODUCTS[name]
    assert count_costs(network, shape).macs == expected


@pytest.mark.parametrize("name", ["bilinear", "factors of a weight", "samples"])
def test_the_descriptor_is_the_same_count(name: str) -> None:
    network, shape, expected = PRODUCTS[name]
    outputs = network(torch.zeros(2, *shape))[0].numel()
    assert total_macs(nn.Sequential(network, nn.Flatten(), nn.Linear(outputs, 2)), shape) == expected + 2 * outputs


def test_samples_count_each() -> None:
    assert count_macs(nn.Linear(4, 6), torch.zeros(5, 4)) == 5 * 24


def test_modes_and_buffers_are_left_alone() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5))
    network[1].eval()
    before = copy.deepcopy(network.state_dict())
    assert count_macs(network, torch.ones(2, 3, 8, 8)) == 2 * 36 * 27 * 4
    assert [module.training for module in network.modules()] == [True, True, False, True]
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert torch.backends.mha.get_fastpath_enabled()


@pytest.mark.parametrize(("name", "biases"), [("nasbench201/cifar10", 10), ("nasbench201/imagenet16-120", 120)])
def test_published_counts_of_nas_bench_201_add_the_biases_of_the_classifier(
    real_data: Path, name: str, biases: int
) -> None:
    task = get_task(name)
    cells = task.architectures("all")[::2500]
    for cell, published in zip(cells, task.baselines(cells)["flops"], strict=True):
        network = task.build(cell)
        macs = count_costs(network, task.input_shape).macs
        assert macs + biases == pytest.approx(1e6 * published, abs=5)
        assert total_macs(network, task.input_shape) == macs


def test_published_counts_of_once_for_all_are_these(real_data: Path) -> None:
    task = get_task("ofa_mobilenetv3/imagenet@224")
    networks = task.architectures("all")[::400]
    for network, published in zip(networks, task.baselines(networks)["flops"], strict=True):
        built = task.build(network)
        assert count_costs(built, task.input_shape).macs == round(1e6 * published)
        assert total_macs(built, task.input_shape) == round(1e6 * published)


def test_counts_of_nats_bench_add_the_biases_of_the_classifier(real_data: Path) -> None:
    task = get_task("nats_sss/cifar100")
    networks = task.architectures("all")[::6000]
    for network, counted in zip(networks, task.baselines(networks)["flops"], strict=True):
        assert total_macs(task.build(network), task.input_shape) + 100 == round(1e6 * counted)
