"""Passes in which normalisations use the statistics that they keep."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from zcproxy.primitives import parse
from zcproxy.probing.measure import measure

EVALUATION = "frobenius_norm(output@evaluation)"
GRADIENT = "frobenius_norm(grad(weight)@evaluation)"


class WithoutStatistics(nn.Module):
    """A function that normalises by the batch in any mode, and one that keeps no statistics."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(6, 5), nn.Linear(5, 3)
        self.norm = nn.BatchNorm1d(5, track_running_stats=False)
        self.register_buffer("mean", torch.full((5,), 9.0))
        self.register_buffer("variance", torch.full((5,), 9.0))

    def forward(self, inputs: Tensor) -> Tensor:
        values = functional.batch_norm(self.first(inputs), self.mean, self.variance, training=True)
        return self.second(self.norm(values))


def kept() -> nn.Sequential:
    """A network whose statistics are far from those of any batch."""
    model = nn.Sequential(
        *[nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 5, 2), nn.InstanceNorm2d(5), nn.Flatten()],
        nn.Linear(5 * 25, 3),
    )
    with torch.no_grad():
        model[1].running_mean.copy_(torch.arange(4.0))
        model[1].running_var.copy_(torch.arange(1.0, 5.0))
    return model.double()


def norms(model: nn.Module, inputs: Tensor, *texts: str) -> list[list[float]]:
    columns = [parse(text) for text in texts]
    found = measure(model, inputs, None, columns).values
    return [found[column].tolist() for column in columns]


def test_kept_statistics_are_used_and_left_as_they_are() -> None:
    model, inputs = kept(), torch.randn(4, 3, 8, 8, dtype=torch.float64)
    fresh = copy.deepcopy(model).eval()
    outputs: list[Tensor] = []
    for layer in (fresh[0], fresh[3], fresh[6]):
        layer.register_forward_hook(lambda module, given, output: outputs.append(output))
    fresh(inputs).sum().backward()
    found, gradients, trained = norms(model, inputs, EVALUATION, GRADIENT, EVALUATION.replace("evaluation", "logits"))
    assert found == pytest.approx([output.norm().item() for output in outputs], rel=1e-10)
    assert gradients == pytest.approx([fresh[place].weight.grad.norm().item() for place in (0, 3, 6)], rel=1e-10)
    assert trained[1] != pytest.approx(found[1], rel=1e-3)
    assert torch.equal(model[1].running_mean, torch.arange(4.0).double()) and model.training


def test_fresh_batch_normalisation_passes_its_input_on() -> None:
    layers = [nn.Linear(6, 5), nn.BatchNorm1d(5, eps=1e-12), nn.Linear(5, 3)]
    inputs = torch.randn(7, 6)
    (normalised,) = norms(nn.Sequential(*layers), inputs, EVALUATION)
    (plain,) = norms(nn.Sequential(layers[0], layers[2]), inputs, EVALUATION)
    assert normalised == pytest.approx(plain, rel=1e-6)


def test_what_keeps_no_statistics_takes_those_of_the_batch() -> None:
    model, inputs = WithoutStatistics(), torch.randn(7, 6)
    evaluated, trained = norms(model, inputs, EVALUATION, EVALUATION.replace("evaluation", "logits"))
    assert evaluated == trained
    assert (model.mean == 9.0).all() and (model.variance == 9.0).all()
