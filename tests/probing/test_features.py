"""What was pooled over all positions before a layer, however a network writes the pooling."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from zcproxy.probing.derivatives import gradients_of
from zcproxy.probing.layer_call import LayerCall
from zcproxy.probing.recorder import Recorder

torch.set_num_threads(1)


class Network(nn.Module):
    """A convolution, what the test asks for, and a classifier; `features` keeps what it was given."""

    def __init__(self, head: Callable[[Network, Tensor], Tensor], inputs: int = 4) -> None:
        super().__init__()
        self.stem, self.expand = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 6, 1)
        self.norm, self.drop = nn.BatchNorm1d(4), nn.Dropout(0.2)
        self.head, self.classify = head, nn.Linear(inputs, 5)
        self.features = torch.empty(0)

    def forward(self, inputs: Tensor) -> Tensor:
        self.features = torch.relu(self.stem(inputs))
        logits: Tensor = self.classify(self.head(self, self.features))
        return logits


def recorded(model: nn.Module, inputs: Tensor) -> list[LayerCall]:
    return Recorder(model.eval()).run(inputs)[1]


def images() -> Tensor:
    return torch.randn((3, 3, 8, 8), generator=torch.Generator().manual_seed(0)).requires_grad_()


def hardswish_of_pooled(net: Network, x: Tensor) -> Tensor:
    pooled = x.mean((2, 3))
    return pooled * functional.relu6(pooled + 3.0) / 6.0


HEADS: dict[str, Callable[[Network, Tensor], Tensor]] = {
    "module": lambda net, x: nn.Flatten()(nn.AdaptiveAvgPool2d(1)(x)),
    "function": lambda net, x: functional.adaptive_avg_pool2d(x, 1)[:, :, 0, 0],
    "whole kernel": lambda net, x: functional.avg_pool2d(x, 6).view(3, -1),
    "maximum": lambda net, x: functional.adaptive_max_pool2d(x, 1).squeeze(),
    "mean": lambda net, x: x.mean((2, 3)),
    "mean of flat": lambda net, x: torch.mean(x, dim=(2, 3), keepdim=True).reshape(3, 4),
    "tokens": lambda net, x: x.flatten(2).transpose(1, 2).mean(1),
    "dropout": lambda net, x: net.drop(x.mean((2, 3))),
    "normalised": lambda net, x: net.norm(x.mean((2, 3))),
    "non-linearity": lambda net, x: functional.hardswish(x.mean((2, 3))),
    "written out": hardswish_of_pooled,
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_every_way_to_pool(head: Callable[[Network, Tensor], Tensor]) -> None:
    model = Network(head)
    found = recorded(model, images())[-1].slot("features").value
    torch.testing.assert_close(found.sum(), model.features.sum())
    assert found.numel() == model.features.numel()


def test_a_layer_between_pooling_and_classifier() -> None:
    model = Network(lambda net, x: functional.hardswish(net.expand(x.mean((2, 3), keepdim=True))).flatten(1), inputs=6)
    _, expand, classify = recorded(model, images())
    assert torch.equal(expand.slot("features").value, model.features)
    assert classify.slot("features") is expand.slot("features")


def test_a_gate_by_pooled_features_pools_nothing() -> None:
    def gated(net: Network, x: Tensor) -> Tensor:
        gate = torch.sigmoid(net.expand(x.mean((2, 3), keepdim=True)))
        return (x * gate[:, :4]).flatten(1)

    _, expand, classify = recorded(Network(gated, inputs=144), images())
    assert "features" in expand.slots and "features" not in classify.slots


@pytest.mark.parametrize(
    ("head", "inputs"),
    [
        (lambda net, x: x.flatten(1), 144),
        (lambda net, x: functional.avg_pool2d(x, 3).flatten(1), 16),
        (lambda net, x: torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1), 8),
        (lambda net, x: x.mean((2, 3)) + x[:, :, 0, 0], 4),
    ],
    ids=["flat", "four positions", "two poolings", "a pooling and more"],
)
def test_where_nothing_else_was_pooled_features_are_the_input(
    head: Callable[[Network, Tensor], Tensor], inputs: int
) -> None:
    calls = recorded(Network(head, inputs), images())
    assert all(call.slot("features") is call.slot("input") for call in calls)


def test_the_gradient_by_features() -> None:
    model = Network(HEADS["module"])
    output, calls = Recorder(model.eval()).run(images())
    (_, found) = gradients_of(output.square().sum(), calls, ("features",))
    output = model(images())
    (expected,) = torch.autograd.grad(output.square().sum(), model.features)
    torch.testing.assert_close(found["features"], expected)


def test_features_that_are_overwritten_later_stay() -> None:
    def head(net: Network, x: Tensor) -> Tensor:
        pooled = x.mean((2, 3))
        x.zero_()
        return pooled

    model = Network(head)
    found = recorded(model, images())[-1].slot("features").value
    torch.testing.assert_close(found, torch.relu(model.stem(images())).detach())
