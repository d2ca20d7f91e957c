"""Where blocks of a network end: what all its paths go through."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from zcproxy.benchmarks.nasbench201 import NASBench201Network
from zcproxy.probing.layer_call import LayerCall
from zcproxy.probing.recorder import Recorder
from zcproxy.probing.structure import examine


class Residual(nn.Module):
    def __init__(self, joined: str) -> None:
        super().__init__()
        self.first, self.second, self.side = (nn.Conv2d(3, 3, 3, padding=1) for _ in range(3))
        self.joined = joined

    def forward(self, inputs: Tensor) -> Tensor:
        body = self.second(torch.relu(self.first(inputs)))
        if self.joined == "add":
            return body + self.side(inputs)
        if self.joined == "in place":
            body += inputs
            return body
        if self.joined == "concatenated":
            return torch.cat([body, inputs], dim=1)
        return body * torch.sigmoid(self.side(inputs))


def recorded(model: nn.Module, inputs: Tensor) -> list[LayerCall]:
    recorder = Recorder(model, examine(model, inputs).ends)
    return recorder.run(inputs.clone().requires_grad_())[1]


def ends_of(model: nn.Module, inputs: Tensor) -> dict[str, Tensor]:
    return {call.name: call.slots["block"].value for call in recorded(model, inputs) if "block" in call.slots}


@pytest.mark.parametrize(
    ("joined", "last"), [("add", "side"), ("in place", "second"), ("concatenated", "second"), ("gated", "side")]
)
def test_a_block_ends_where_its_branches_meet(joined: str, last: str) -> None:
    block = Residual(joined)
    model = nn.Sequential(
        nn.Conv2d(3, 3, 1), block, nn.ReLU(), nn.Flatten(), nn.Linear(384 if joined == "concatenated" else 192, 5)
    )
    inputs = torch.randn(2, 3, 8, 8)
    found = ends_of(model, inputs)
    assert list(found) == ["0", f"1.{last}"]
    stem = model[0](inputs)
    assert torch.equal(found["0"], stem) and torch.equal(found[f"1.{last}"], block(stem))


def test_blocks_of_a_chain_are_its_layers_with_their_normalisations() -> None:
    layers = [nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 5, 3), nn.ReLU()]
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 5), nn.Linear(5, 2))
    inputs = torch.randn(2, 3, 8, 8)
    found = ends_of(model, inputs)
    assert list(found) == ["0", "3"]  # not what comes after the pooling
    assert torch.equal(found["0"], model[:2](inputs))
    assert torch.equal(found["3"], model[:4](inputs))


def test_blocks_of_a_benchmark_network_are_its_cells() -> None:
    cell = "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|nor_conv_1x1~0|avg_pool_3x3~1|nor_conv_3x3~2|"
    model = NASBench201Network(cell, 5, channels=4, cells=2)
    inputs = torch.randn(2, 3, 8, 8)
    ends = [model.stem(inputs)]
    for part in model.body:
        ends.append(part(ends[-1]))
    found = list(ends_of(model, inputs).values())
    assert len(found) == len(ends) == 9
    assert all(torch.equal(*pair) for pair in zip(found, ends, strict=True))


def test_two_paths_that_never_meet_before_the_logits_make_no_block() -> None:
    class Apart(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(4, 3), nn.Linear(4, 3)

        def forward(self, inputs: Tensor) -> Tensor:
            return self.first(inputs) + self.second(inputs)

    assert ends_of(Apart(), torch.randn(2, 4)) == {}
