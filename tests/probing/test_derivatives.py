"""Jacobians of blocks and the information of single elements, against whole Jacobians and finite differences."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from zcproxy.errors import ModelError
from zcproxy.names.proxies import resolve_proxy
from zcproxy.primitives import parse
from zcproxy.probing.derivatives import block_jacobians, information
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
    """Of the blocks of a network, by a pass that knows where they end."""
    recorder = Recorder(model, examine(model, inputs).ends)
    recorder.run(inputs.clone().requires_grad_())
    return block_jacobians(recorder.blocks, seed=0)


def test_many_signs_of_a_linear_layer_give_its_weight() -> None:
    model = nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 3), nn.Linear(3, 2)).double()
    first, second = jacobians(model, draw(40000, 5))
    np.testing.assert_allclose(second, model[1].weight.detach(), atol=0.03)
    assert first.isnan().all()


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
    first, second, third = jacobians(nn.Sequential(*layers), torch.randn(2, 3, 8, 8))
    assert first.isnan().all() and second.isnan().all()
    assert third.shape == (5, 4) and third.isfinite().all()


# Information of single elements


def informed(model: nn.Module, inputs: Tensor) -> Tensor:
    output, _ = recorded(model, inputs.clone())
    return information(output, list(model.parameters()))


@pytest.mark.parametrize("classes", [2, 5])
def test_information_is_that_of_finite_differences(classes: int) -> None:
    model = nn.Sequential(
        *[nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 6), nn.Tanh()],
        nn.Linear(6, classes),
    ).double()
    inputs = draw(5, 3, 6, 6)
    step, columns = 1e-5, []
    for name, _ in model.named_parameters():
        sides = []
        for sign in (1.0, -1.0):
            changed = copy.deepcopy(model)
            with torch.no_grad():
                changed.get_parameter(name).view(-1)[0] += sign * step
                sides.append(changed(inputs))
        columns.append((sides[0] - sides[1]) / (2 * step))
    jacobian = torch.stack(columns, dim=2)
    p = 0.95 * model(inputs).detach().softmax(1) + 0.05 / classes
    covariance = torch.diag_embed(p) - p[:, :, None] * p[:, None]
    expected = (jacobian.mT @ covariance @ jacobian).mean(0)
    np.testing.assert_allclose(informed(model, inputs), expected, rtol=1e-6, atol=1e-9)


def test_the_information_of_a_logistic_regression() -> None:
    """Of one weight: the mean over samples of p (1 - p) x^2, for logits (w x, 0)."""
    model = nn.Linear(1, 2, bias=False).double()
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[0.7], [0.0]]))
    inputs = draw(9, 1)
    p = 0.95 * torch.sigmoid(model.weight[0, 0].detach() * inputs) + 0.025
    assert informed(model, inputs).item() == pytest.approx((p * (1.0 - p) * inputs.square()).mean().item(), rel=1e-10)


def test_a_module_that_is_called_twice_has_one_row_and_a_dead_one_zeros() -> None:
    layer = nn.Linear(3, 3)
    model = nn.Sequential(layer, nn.Tanh(), layer)
    model.register_module("unused", nn.Linear(3, 3))
    model.forward = lambda x: layer(torch.tanh(layer(x)))  # type: ignore[method-assign]
    found = informed(model, torch.randn(4, 3))
    assert found.shape == (4, 4) and found[:2, :2].any() and not found[2:].any()


def test_class_probabilities_need_rows_of_logits() -> None:
    model = nn.Sequential(nn.Linear(6, 4), nn.Flatten(0))
    with pytest.raises(
        ModelError, match=r"class probabilities need logits of samples x classes, the model's are .*\(24,\)"
    ):
        measure(model, torch.randn(6, 6), None, [parse("trace(information@fisher)")])


def test_a_network_whose_blocks_are_all_undefined_has_no_trainability() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 2))
    assert math.isnan(resolve_proxy("az_trainability")(model, torch.randn(4, 3, 8, 8)))
