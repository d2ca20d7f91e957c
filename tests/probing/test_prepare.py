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
from zcproxy.probing.prepare import prepared, transformed
from zcproxy.probing.probes import PROBES
from zcproxy.probing.recorder import Recorder
from zcproxy.probing.replacements import Draw, Replacements

PLACES: list[int | None] = [0, 1, 2]


def network() -> nn.Sequential:
    layers = [nn.Conv2d(3, 40, 3), nn.BatchNorm2d(40), nn.ReLU(), nn.Flatten(), nn.Linear(640, 50), nn.LayerNorm(50)]
    return nn.Sequential(*layers, nn.Linear(50, 5))


def redrawn(model: nn.Module, inputs: Tensor, places: list[int | None], seed: int = 0) -> list[LayerCall]:
    return Recorder(model, replacements=Replacements(draw=Draw.GAUSSIAN, places=places, seed=seed)).run(inputs)[1]


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


# Weights that are shaken, permuted or shared


@pytest.mark.parametrize("probe", ["shaken", "permuted", "random_classes"])
def test_what_is_drawn_depends_on_the_seed_alone(probe: str) -> None:
    model, inputs = network(), torch.randn(4, 3, 6, 6)
    column = parse(f"frobenius_norm(grad(weight)@{probe})")
    torch.manual_seed(1)
    first, second, other = (measure(model, inputs, None, [column], input_seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.values[column], second.values[column])
    assert (first.values[column] != other.values[column]).all()


def test_random_classes_are_not_the_targets() -> None:
    model, inputs = network(), torch.randn(4, 3, 6, 6)
    column = parse("frobenius_norm(grad(weight)@random_classes)")
    values = [measure(model, inputs, torch.full((4,), label), [column]).values[column] for label in (0, 3)]
    np.testing.assert_array_equal(*values)


def test_permuted_weights_have_the_same_elements_in_another_order() -> None:
    model, inputs = network(), torch.randn(4, 3, 6, 6)
    calls = Recorder(prepared(model, inputs), replacements=Replacements(draw=Draw.PERMUTED, places=PLACES)).run(inputs)[
        1
    ]
    for call, layer in zip(calls, (model[0], model[4], model[6]), strict=True):
        assert not torch.equal(call.weight, layer.weight)
        torch.testing.assert_close(call.weight.flatten().sort().values, layer.weight.flatten().sort().values)
        assert call.bias is layer.bias


def test_the_order_of_axes_of_a_weight_does_not_matter_for_what_is_drawn() -> None:
    """A matrix that stands the other way around is drawn as the linear layer of the same map."""

    class Product(nn.Module):
        def __init__(self, weight: Tensor) -> None:
            super().__init__()
            self.weight = nn.Parameter(weight.detach().T.contiguous())

        def forward(self, x: Tensor) -> Tensor:
            return x @ self.weight

    linear, inputs = nn.Linear(6, 5, bias=False), torch.randn(3, 6)
    columns = [parse(f"frobenius_norm(output@{probe})") for probe in ("redrawn", "shaken", "permuted")]
    of_linear, of_product = (measure(model, inputs, None, columns) for model in (linear, Product(linear.weight)))
    for column in columns:
        np.testing.assert_allclose(of_linear.values[column], of_product.values[column], rtol=1e-5)


def test_shared_weights_reach_parameters_of_every_kind() -> None:
    """Tokens, scales and the joined weights of attention have the value; all biases are 0."""

    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.token = nn.Parameter(torch.randn(1, 1, 4))
            self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
            self.norm = nn.LayerNorm(4)
            self.head = nn.Linear(4, 3)
            nn.init.normal_(self.attention.in_proj_bias)

        def forward(self, x: Tensor) -> Tensor:
            x = torch.cat([self.token.expand(len(x), -1, -1), x], dim=1)
            return self.head(self.norm(self.attention(x, x, x)[0])[:, 0])

    model = Tokens()
    changed = transformed(model, PROBES["shared_large"].run)
    for name, parameter in changed.named_parameters():
        assert parameter.dtype == torch.float64
        assert (parameter == (0.0 if "bias" in name else 1.0)).all(), name
    assert not any((parameter == 1.0).all() for name, parameter in model.named_parameters() if "norm" not in name)
