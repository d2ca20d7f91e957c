"""The model and the world stay as they were, and scores do not depend on the state that they are in."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from zcproxy import Proxy
from zcproxy.errors import ModelError
from zcproxy.primitives import parse

from .by_hand import Case, Network
from .callers_view import EVERY_PROBE, unchanged


@pytest.mark.parametrize("training", [True, False])
def test_nothing_changes(case: Case, training: bool) -> None:
    model, inputs = case
    model.train(training)
    first = unchanged(model, inputs, lambda: EVERY_PROBE(model, inputs))
    assert np.isfinite(first)
    assert EVERY_PROBE(model, inputs) == first


def test_the_mode_of_the_model_does_not_matter(case: Case) -> None:
    model, inputs = case
    assert EVERY_PROBE(model.train(), inputs) == EVERY_PROBE(model.eval(), inputs)


def test_frozen_parameters_gradients_hooks_and_running_statistics_stay(case: Case) -> None:
    model, inputs = case
    expected = EVERY_PROBE(model, inputs)
    parameters = list(model.parameters())
    for index, parameter in enumerate(parameters):
        parameter.grad = torch.full_like(parameter, float(index))
        parameter.requires_grad_(index % 2 == 0)
    for module in model.modules():
        module.train(isinstance(module, nn.Linear))
        module.register_forward_hook(lambda *_: None)
        module.register_forward_pre_hook(lambda *_: None)
    for name, buffer in model.named_buffers():
        if name.endswith("running_mean"):
            buffer.add_(3.0)
    assert unchanged(model, inputs, lambda: EVERY_PROBE(model, inputs)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", ["cell", "residual", "perceptron"])
def test_backward_hooks_do_not_matter(network: Network, name: str) -> None:
    model, inputs = network(name)
    expected = EVERY_PROBE(model, inputs)
    for module in model.modules():
        module.register_full_backward_hook(lambda *_: None)
    assert unchanged(model, inputs, lambda: EVERY_PROBE(model, inputs)) == pytest.approx(expected, rel=1e-6)


def test_the_random_state_neither_changes_nor_matters(case: Case) -> None:
    model, inputs = case
    scores = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        np.random.seed(seed)
        random.seed(seed)
        scores.append(unchanged(model, inputs, lambda: EVERY_PROBE(model, inputs)))
    assert scores[0] == scores[1]


def test_inputs_with_a_gradient_stay_as_they_are(case: Case) -> None:
    model, inputs = case
    expected = EVERY_PROBE(model, inputs)
    inputs.requires_grad_()
    assert unchanged(model, inputs, lambda: EVERY_PROBE(model, inputs)) == expected


def test_a_score_under_no_grad_is_the_same(case: Case) -> None:
    model, inputs = case
    expected = EVERY_PROBE(model, inputs)
    with torch.no_grad():
        assert unchanged(model, inputs, lambda: EVERY_PROBE(model, inputs)) == expected


def test_a_model_that_fails_stays_as_it_was(network: Network) -> None:
    model, _ = network("residual")

    def fails() -> float:
        with pytest.raises(ModelError):
            EVERY_PROBE(model, torch.zeros(2, 5, 8, 8))
        return 0.0

    unchanged(model, torch.zeros(1), fails)


def test_the_layout_of_inputs_and_weights_does_not_matter(network: Network) -> None:
    model, inputs = network("residual")
    expected = EVERY_PROBE(model, inputs)
    channels_last = copy.deepcopy(model).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    assert EVERY_PROBE(channels_last, inputs.contiguous(memory_format=torch.channels_last)) == pytest.approx(
        expected, rel=1e-5
    )


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_measured_in_single_precision(network: Network, dtype: torch.dtype) -> None:
    model, inputs = network("residual")
    model, inputs = model.to(dtype), inputs.to(dtype)
    expected = EVERY_PROBE(copy.deepcopy(model).float(), inputs.float())
    assert EVERY_PROBE(model, inputs) == EVERY_PROBE(model, inputs.float()) == expected
    assert all(value.dtype == dtype for value in (inputs, *model.parameters()))


def test_a_score_in_inference_mode_is_the_same(network: Network) -> None:
    model, inputs = network("residual")
    targets = torch.arange(6) % 5
    expected = EVERY_PROBE(model, inputs, targets)
    with torch.inference_mode():
        assert EVERY_PROBE(model, inputs, targets) == expected
        assert EVERY_PROBE(copy.deepcopy(model), inputs.clone(), targets.clone()) == expected


@pytest.mark.parametrize("reentrant", [False, True])
def test_checkpoints(reentrant: bool) -> None:
    class Checkpointed(nn.Module):
        def __init__(self, model: nn.Sequential) -> None:
            super().__init__()
            self.first, self.rest = model[0], model[1:]

        def forward(self, inputs: Tensor) -> Tensor:
            return checkpoint(self.rest, self.first(inputs), use_reentrant=reentrant)

    model = nn.Sequential(nn.Linear(6, 5), nn.LayerNorm(5), nn.ReLU(), nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3))
    inputs = torch.randn(4, 6)
    if reentrant:
        with pytest.raises(ModelError, match=r"^the backward pass of the model failed: .*use_reentrant=False"):
            EVERY_PROBE(Checkpointed(model), inputs)
    else:
        assert EVERY_PROBE(Checkpointed(model), inputs) == EVERY_PROBE(model, inputs)


@pytest.mark.filterwarnings("ignore:.* in no layer that is seen")
def test_checkpoints_that_end_in_a_batch_normalisation() -> None:
    """What is computed once more takes statistics of the batch, also while a network is examined."""

    class Block(nn.Module):
        def __init__(self, *, recomputed: bool) -> None:
            super().__init__()
            self.first, self.norm, self.last = nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Linear(5, 3)
            self.factor = nn.Parameter(torch.full((1, 1), 1.5))  # a matrix that is no layer's
            self.recomputed = recomputed

        def block(self, inputs: Tensor) -> Tensor:
            return self.norm(self.first(inputs) * self.factor)

        def forward(self, inputs: Tensor) -> Tensor:
            values = checkpoint(self.block, inputs, use_reentrant=False) if self.recomputed else self.block(inputs)
            return self.last(values.relu())

    model, plain, inputs = Block(recomputed=True), Block(recomputed=False), torch.randn(4, 6)
    plain.load_state_dict(model.state_dict())
    assert EVERY_PROBE(model, inputs) == EVERY_PROBE(plain, inputs)


@pytest.mark.parametrize("change", [lambda x: x.sub_(1.0), functional.relu_, lambda x: x.zero_().add_(1.0)])
def test_a_model_that_overwrites_its_input_leaves_the_callers_alone(change: Callable[[Tensor], Tensor]) -> None:
    class Overwrites(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(6, 3)

        def forward(self, inputs: Tensor) -> Tensor:
            return self.layer(change(inputs))

    model, inputs = Overwrites(), torch.randn(4, 6)
    first = unchanged(model, inputs, lambda: EVERY_PROBE(model, inputs))
    assert np.isfinite(first)
    assert EVERY_PROBE(model, inputs) == first


def test_what_overwrites_a_normalised_tensor_leaves_the_one_before_alone() -> None:
    class Residual(nn.Module):
        def __init__(self, in_place: bool) -> None:
            super().__init__()
            self.first, self.norm, self.last = nn.Linear(6, 5), nn.LayerNorm(5), nn.Linear(5, 3)
            self.in_place = in_place

        def forward(self, inputs: Tensor) -> Tensor:
            values = self.first(inputs)
            branch = self.norm(values)
            if self.in_place:
                branch += 0.5 * values
            else:
                branch = branch + 0.5 * values
            return self.last(branch + values)

    in_place, plain = Residual(True), Residual(False)
    plain.load_state_dict(in_place.state_dict())
    inputs = torch.randn(4, 6)
    assert EVERY_PROBE(in_place, inputs) == pytest.approx(EVERY_PROBE(plain, inputs), rel=1e-6)


def test_normalisations_called_by_keyword(network: Network) -> None:
    class ByKeyword(nn.Module):
        def __init__(self, layers: nn.Sequential) -> None:
            super().__init__()
            self.layers = layers

        def forward(self, inputs: Tensor) -> Tensor:
            for layer in self.layers:
                inputs = layer(input=inputs)
            return inputs

    model, inputs = network("perceptron")
    assert EVERY_PROBE(ByKeyword(model), inputs) == EVERY_PROBE(model, inputs)


def test_reparametrised_weights_have_a_gradient() -> None:
    model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))
    inputs = torch.randn(4, 6)
    proxy = Proxy(parse("sum(l1_norm(grad(weight)@noise))"))
    expected = proxy(model, inputs)
    for layer in (model[0], model[2]):
        nn.utils.parametrizations.weight_norm(layer)
    assert proxy(model, inputs) == pytest.approx(expected, rel=1e-4)
