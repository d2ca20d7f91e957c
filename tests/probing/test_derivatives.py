"""Jacobians of blocks and responses of class probabilities, against whole Jacobians and finite differences."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from zcproxy.errors import ModelError
from zcproxy.names.proxies import (
    resolve_proxy,
)
from zcproxy.primitives import parse
from zcproxy.probing.derivatives import block_jacobians, responses
from zcproxy.probing.layer_call import LayerCall
from zcproxy.probing.measure import measure
from zcproxy.probing.recorder import Recorder
from zcproxy.probing.structure import examine
from zcproxy.random import derive_seed

torch.set_num_threads(1)


def recorded(model: nn.Module, inputs: Tensor) -> tuple[Tensor, list[LayerCall]]:
    return Recorder(model).run(inputs.requires_grad_())


def draw(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


# Jacobians of blocks


def jacobians(model: nn.Module, inputs: Tensor) -> list[Tensor]:
    """Of the blocks of a network, none for its last layer, by a pass that knows where they end."""
    recorder = Recorder(model, examine(model, inputs).blocks)
    return block_jacobians(recorder.run(inputs.clone().requires_grad_())[1], seed=0)


def test_many_signs_of_a_linear_layer_give_its_weight() -> None:
    model = nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 3), nn.Linear(3, 2)).double()
    first, second, logits = jacobians(model, draw(40000, 5))
    np.testing.assert_allclose(second, model[1].weight.detach(), atol=0.03)
    assert first.isnan().all() and logits.isnan().all()


def test_tokens_are_positions() -> None:
    model = nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2)).double()
    np.testing.assert_allclose(jacobians(model, draw(200, 200, 5))[1], model[1].weight.detach(), atol=0.03)


def test_a_stride_makes_channels_of_positions() -> None:
    model = nn.Sequential(nn.Conv2d(2, 3, 1), nn.Conv2d(3, 5, 2, stride=2), nn.Flatten(), nn.LazyLinear(2)).double()
    inputs = draw(200, 2, 24, 20)
    model(inputs)
    np.testing.assert_allclose(jacobians(model, inputs)[1], model[1].weight.detach().reshape(5, 12), atol=0.03)


def test_what_lies_between_two_ends_belongs_to_the_block() -> None:
    model = nn.Sequential(
        *[nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2), nn.BatchNorm1d(2), nn.Tanh(), nn.Linear(2, 2)]
    ).double()
    inputs = draw(16, 4)
    found = jacobians(model, inputs)[1]
    before = model[0](inputs).detach()
    whole = torch.autograd.functional.jacobian(model[1:4], before)  # samples x outputs x samples x inputs
    generator = torch.Generator().manual_seed(derive_seed("signs", 0, 0))
    signs = torch.randint(2, (16, 2), generator=generator).double() * 2 - 1
    gradient = torch.einsum("spti,sp->ti", whole, signs)
    np.testing.assert_allclose(found, signs.T @ gradient / 16, rtol=1e-10)


def test_positions_that_do_not_fit_are_undefined() -> None:
    layers = [nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 3), nn.Conv2d(4, 5, 3, padding=1), nn.Flatten(), nn.Linear(180, 2)]
    first, second, third, _ = jacobians(nn.Sequential(*layers), torch.randn(2, 3, 8, 8))
    assert first.isnan().all() and second.isnan().all()
    assert third.shape == (5, 4) and third.isfinite().all()


# Responses of class probabilities


@pytest.mark.parametrize("classes", [2, 5])
def test_responses_are_finite_differences(classes: int) -> None:
    model = nn.Sequential(
        *[nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 6), nn.Tanh()],
        nn.Linear(6, classes),
    ).double()
    inputs = draw(5, 3, 6, 6)
    output, calls = recorded(model, inputs.clone())
    found = responses(output, calls)
    assert len(found) == 3
    step = 1e-5
    for call, response in zip(calls, found, strict=True):
        sides = []
        for sign in (1.0, -1.0):
            changed = copy.deepcopy(model)
            with torch.no_grad():
                changed.get_submodule(call.name).weight.view(-1)[0] += sign * step
                sides.append(changed(inputs).log_softmax(1))
        expected = (sides[0] - sides[1]) / (2 * step) * output.detach().softmax(1).sqrt()
        np.testing.assert_allclose(response, expected, rtol=1e-6, atol=1e-9)


def test_the_information_of_a_logistic_regression() -> None:
    """Of one weight: the mean over samples of p (1 - p) x^2, for logits (w x, 0)."""
    model = nn.Linear(1, 2, bias=False).double()
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[0.7], [0.0]]))
    inputs = draw(9, 1)
    (response,) = responses(*recorded(model, inputs.clone()))
    p = torch.sigmoid(model.weight[0, 0].detach() * inputs)
    assert response.square().sum().item() == pytest.approx((p * (1.0 - p) * inputs.square()).sum().item(), rel=1e-10)


def test_both_calls_of_a_module_respond_alike() -> None:
    layer = nn.Linear(3, 3)
    first, second = responses(*recorded(nn.Sequential(layer, nn.Tanh(), layer), torch.randn(4, 3)))
    assert torch.equal(first, second) and first.any()


def test_class_probabilities_need_rows_of_logits() -> None:
    model = nn.Sequential(nn.Linear(6, 4), nn.Flatten(0))
    with pytest.raises(
        ModelError, match=r"class probabilities need logits of samples x classes, the model's are .*\(24,\)"
    ):
        measure(model, torch.randn(6, 6), None, [parse("l1_norm(response@fisher)")])


def test_a_network_whose_blocks_are_all_undefined_has_no_trainability() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 2))
    assert math.isnan(resolve_proxy("az_trainability")(model, torch.randn(4, 3, 8, 8)))
