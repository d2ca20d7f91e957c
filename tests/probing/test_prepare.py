from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from zcproxy.primitives import parse
from zcproxy.probing.layer_call import LayerCall
from zcproxy.probing.measure import measure
from zcproxy.probing.prepare import prepared
from zcproxy.probing.recorder import Recorder
from zcproxy.probing.replacements import Replacements

PLACES: list[int | None] = [0, 1, 2]


def network() -> nn.Sequential:
    layers = [nn.Conv2d(3, 40, 3), nn.BatchNorm2d(40), nn.ReLU(), nn.Flatten(), nn.Linear(640, 50), nn.LayerNorm(50)]
    return nn.Sequential(*layers, nn.Linear(50, 5))


def redrawn(model: nn.Module, inputs: Tensor, places: list[int | None], seed: int = 0) -> list[LayerCall]:
    return Recorder(model, replacements=Replacements(places=places, seed=seed)).run(inputs)[1]


def test_redrawn_weights() -> None:
    model = network()
    nn.init.constant_(model[1].weight, 3.0)
    nn.init.constant_(model[5].bias, 3.0)
    before = copy.deepcopy(model.state_dict())
    inputs = torch.randn(4, 3, 6, 6)
    calls = redrawn(prepared(model, inputs), inputs, PLACES)
    for call in calls:
        assert call.weight.std().item() == pytest.approx(1.0, abs=0.1)
    first, second, last = calls
    torch.testing.assert_close(first.slot("output").value, functional.conv2d(inputs, first.weight))
    assert first.slot("normalized").value.std().item() == pytest.approx(1.0, rel=1e-2)
    assert second.slot("normalized").value.mean().item() == pytest.approx(0.0, abs=1e-6)
    torch.testing.assert_close(last.slot("output").value, last.slot("input").value @ last.weight.T)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_redrawn_weights_depend_on_places_and_seed_alone() -> None:
    inputs = torch.randn(2, 3, 6, 6)
    model = prepared(network(), inputs)
    torch.manual_seed(3)
    first, second, other = (redrawn(model, inputs, PLACES, seed)[1].weight for seed in (0, 0, 1))
    assert torch.equal(first, second) and not torch.equal(first, other)
    assert torch.equal(redrawn(model, inputs, [None, 1, 0])[1].weight, first)
    assert torch.equal(redrawn(model, inputs, [None, 1, 0])[0].weight, model[0].weight)
    assert torch.equal(redrawn(model.double(), inputs.double(), PLACES)[1].weight, first.double())


def test_computed_weights_are_redrawn_too() -> None:
    model = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(6, 5)))
    inputs = torch.randn(2, 6)
    (call,) = redrawn(prepared(model, inputs), inputs, [0])
    (plain,) = redrawn(prepared(nn.Linear(6, 5), inputs), inputs, [0])
    assert torch.equal(call.weight, plain.weight)
    assert torch.equal(call.slot("output").value, plain.slot("output").value)


@pytest.mark.parametrize(
    ("column", "places"), [("l1_norm(output@redrawn)", 3), ("frobenius_norm(block_jacobian@signs)", 2)]
)
def test_a_dead_layer_changes_nothing_that_is_random(column: str, places: int) -> None:
    class Branches(nn.Module):
        def __init__(self, *, dead: bool) -> None:
            super().__init__()
            self.first, self.unused, self.last = nn.Linear(6, 5), nn.Linear(6, 5), nn.Linear(5, 3)
            self.middle = nn.Linear(5, 5)
            self.dead = dead

        def forward(self, inputs: Tensor) -> Tensor:
            if self.dead:
                self.unused(inputs)
            logits: Tensor = self.last(self.middle(torch.relu(self.first(inputs))))
            return logits

    model = Branches(dead=True)
    clean = copy.deepcopy(model)
    clean.dead = False
    columns = [parse(column)]
    first, second = (measure(item, torch.randn(4, 6), None, columns).values[columns[0]] for item in (model, clean))
    assert len(first) == places and np.isfinite(first[1])
    np.testing.assert_array_equal(first, second)
