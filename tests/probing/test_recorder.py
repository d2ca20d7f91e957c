from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from zcproxy.errors import ModelError
from zcproxy.probing.derivatives import gradients_of
from zcproxy.probing.layer_call import LayerCall
from zcproxy.probing.operations import NON_LINEARITIES
from zcproxy.probing.recorder import Recorder

NAMES = ("input", "output", "normalized", "activation", "preactivation")


class Steps(nn.Module):
    """A convolution, then what the test asks for, then another convolution."""

    def __init__(self, between: Callable[[nn.Module, Tensor], Tensor], *, tokens: bool = False) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(5)
            self.first: nn.Module = nn.Linear(4, 4) if tokens else nn.Conv2d(3, 4, 3, padding=1)
            self.norm: nn.Module = nn.LayerNorm(4) if tokens else nn.BatchNorm2d(4)
            self.last: nn.Module = nn.Linear(4, 4) if tokens else nn.Conv2d(4, 4, 1)
        self.between = between

    def forward(self, inputs: Tensor) -> Tensor:
        return self.last(self.between(self, self.first(inputs)))


def images() -> Tensor:
    return torch.randn((3, 3, 5, 5), generator=torch.Generator().manual_seed(6)).requires_grad_()


def tokens() -> Tensor:
    return torch.randn((3, 5, 4), generator=torch.Generator().manual_seed(6)).requires_grad_()


def record(model: nn.Module, inputs: Tensor) -> tuple[list[LayerCall], list[dict[str, Tensor]]]:
    output, calls = Recorder(model).run(inputs)
    return calls, gradients_of((output * output).sum(), calls, ("weight", *NAMES))


def assert_same(first: nn.Module, second: nn.Module, inputs: Callable[[], Tensor]) -> None:
    (calls, gradients), (others, expected) = record(first, inputs()), record(second, inputs())
    assert [call.name for call in calls] == [call.name for call in others]
    for call, other, gradient, reference in zip(calls, others, gradients, expected, strict=True):
        for name in NAMES:
            torch.testing.assert_close(call.slot(name).value, other.slot(name).value, msg=f"{call.name} {name}")
        for name in ("weight", *NAMES):
            torch.testing.assert_close(gradient[name], reference[name], msg=f"grad {call.name} {name}")


# Non-linearities: modules, functions, methods, in place or not, are all the same


PLAIN = Steps(lambda self, x: functional.relu(self.norm(x)))


@pytest.mark.parametrize(
    "between",
    [
        lambda self, x: nn.ReLU()(self.norm(x)),
        lambda self, x: nn.ReLU(inplace=True)(self.norm(x)),
        lambda self, x: functional.relu(self.norm(x), inplace=True),
        lambda self, x: functional.relu(self.norm(x), True),
        lambda self, x: functional.relu_(self.norm(x)),
        lambda self, x: torch.relu(self.norm(x)),
        lambda self, x: torch.relu_(self.norm(x)),
        lambda self, x: self.norm(x).relu(),
        lambda self, x: self.norm(x).relu_(),
        lambda self, x: functional.leaky_relu(self.norm(x), 0.0),
    ],
    ids=[
        "module",
        "module in place",
        "in place",
        "positional",
        "relu_",
        "torch",
        "torch_",
        "method",
        "method_",
        "leaky",
    ],
)
def test_every_way_to_write_a_relu(between: Callable[[nn.Module, Tensor], Tensor]) -> None:
    assert_same(Steps(between), PLAIN, images)


def test_what_a_relu_records() -> None:
    calls, _ = record(PLAIN, images())
    first, last = calls
    normal = functional.batch_norm(first.slot("output").value, None, None, PLAIN.norm.weight, PLAIN.norm.bias, True)
    torch.testing.assert_close(first.slot("normalized").value, normal.detach())
    torch.testing.assert_close(first.slot("activation").value, normal.detach().clamp(min=0.0))
    torch.testing.assert_close(last.slot("preactivation").value, normal.detach())
    torch.testing.assert_close(last.slot("input").value, first.slot("activation").value)
    assert first.slot("preactivation") is first.slot("input")
    assert last.slot("activation") is last.slot("normalized") is last.slot("output")


@pytest.mark.parametrize(
    "module", [nn.GELU, nn.SiLU, nn.ELU, nn.Sigmoid, nn.Tanh, nn.Hardswish, nn.Mish, nn.ReLU6, nn.PReLU]
)
def test_other_non_linearities_are_seen(module: type[nn.Module]) -> None:
    calls, _ = record(Steps(lambda self, x: module()(self.norm(x))), images())
    assert "activation" in calls[0].slots and "preactivation" in calls[1].slots
    torch.testing.assert_close(calls[1].slot("preactivation").value, calls[0].slot("normalized").value)
    torch.testing.assert_close(calls[0].slot("activation").value, calls[1].slot("input").value)


def test_the_list_of_non_linearities_is_not_empty() -> None:
    assert {torch.relu, functional.relu, functional.gelu, Tensor.relu_, torch.sigmoid} <= NON_LINEARITIES


# In-place operations overwrite nothing that was recorded


@pytest.mark.parametrize(
    ("in_place", "plain"),
    [
        (lambda self, x: self.norm(x).add_(1.0), lambda self, x: self.norm(x) + 1.0),
        (lambda self, x: self.norm(x).mul_(x), lambda self, x: self.norm(x) * x),
        (lambda self, x: x.clamp_(min=0.1), lambda self, x: x.clamp(min=0.1)),
        (lambda self, x: functional.dropout(x, 0.5, False, True), lambda self, x: functional.dropout(x, 0.5, False)),
        (lambda self, x: x.view(3, 4, 25).mul_(2.0).view(3, 4, 5, 5), lambda self, x: 2.0 * x),
    ],
    ids=["add_", "mul_", "clamp_", "dropout", "view"],
)
def test_methods_in_place(in_place: Callable[..., Tensor], plain: Callable[..., Tensor]) -> None:
    assert_same(Steps(in_place), Steps(plain), images)


def test_augmented_assignment() -> None:
    def in_place(self: nn.Module, x: Tensor) -> Tensor:
        y = self.norm(x)
        y += 0.5 * x
        y *= 2.0
        y -= 1.0
        y[:, 0] = 3.0
        return y

    def plain(self: nn.Module, x: Tensor) -> Tensor:
        y = (self.norm(x) + 0.5 * x) * 2.0 - 1.0
        return torch.cat([torch.full_like(y[:, :1], 3.0), y[:, 1:]], dim=1)

    assert_same(Steps(in_place), Steps(plain), images)


def residual(self: nn.Module, x: Tensor) -> Tensor:
    y = self.norm(x)
    y += x
    return functional.relu(y)


def test_a_sum_in_place_is_a_sum() -> None:
    assert_same(Steps(residual), Steps(lambda self, x: functional.relu(self.norm(x) + x)), images)


def test_a_normalisation_after_a_non_linearity_in_place() -> None:
    in_place = Steps(lambda self, x: self.norm(functional.relu_(x)))
    assert_same(in_place, Steps(lambda self, x: self.norm(functional.relu(x))), images)


@pytest.mark.parametrize(
    "between", [lambda self, x: x.relu_(), lambda self, x: x.add_(0.0).relu()], ids=["relu_", "add_"]
)
def test_in_place_after_a_linear_layer_on_tokens(between: Callable[..., Tensor]) -> None:
    calls, gradients = record(Steps(between, tokens=True), tokens())
    expected = record(Steps(lambda self, x: x.relu(), tokens=True), tokens())[1]
    assert len(calls) == 2
    torch.testing.assert_close(gradients[0]["output"], expected[0]["output"])


def test_in_place_after_an_instance_normalisation() -> None:
    in_place, plain = (Steps(lambda self, x: self.norm(x)), Steps(lambda self, x: self.norm(x)))
    for model, rectify in ((in_place, functional.relu_), (plain, functional.relu)):
        model.norm = nn.InstanceNorm2d(4)
        model.between = lambda self, x, rectify=rectify: rectify(self.norm(x))
    assert_same(in_place, plain, images)


def test_what_a_layer_reads_was_changed_after_a_non_linearity() -> None:
    in_place = Steps(lambda self, x: functional.silu(self.norm(x)).add_(1.0))
    assert_same(in_place, Steps(lambda self, x: functional.silu(self.norm(x)) + 1.0), images)


def test_a_view_that_is_changed_changes_the_tensor() -> None:
    def in_place(self: nn.Module, x: Tensor) -> Tensor:
        y = self.norm(x)
        y.view(-1).mul_(2.0)
        return functional.relu(y)

    assert_same(Steps(in_place), Steps(lambda self, x: functional.relu(2.0 * self.norm(x))), images)


def test_a_non_linearity_called_by_keyword() -> None:
    assert_same(Steps(lambda self, x: functional.relu(input=self.norm(x), inplace=True)), PLAIN, images)


# Calls and gradients


def test_a_module_used_twice_is_two_calls_with_the_gradient_of_both() -> None:
    layer = nn.Linear(3, 3)
    model = nn.Sequential(layer, nn.Tanh(), layer)
    inputs = torch.randn(4, 3).requires_grad_()
    calls, gradients = record(model, inputs)
    assert [call.name for call in calls] == ["0", "0"]
    output = model(inputs)
    (expected,) = torch.autograd.grad((output * output).sum(), [layer.weight])
    assert all(torch.allclose(gradient["weight"], expected) for gradient in gradients)
    assert not torch.equal(calls[0].slot("input").value, calls[1].slot("input").value)


def test_what_the_loss_ignores_has_a_gradient_of_zeros() -> None:
    class Ignores(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.unused = nn.Linear(3, 2), nn.Linear(3, 2)

        def forward(self, inputs: Tensor) -> Tensor:
            self.unused(inputs)
            return self.used(inputs)

    calls, gradients = record(Ignores(), torch.randn(4, 3).requires_grad_())
    assert [call.name for call in calls] == ["unused", "used"]
    assert not gradients[0]["weight"].any() and not gradients[0]["output"].any()
    assert gradients[1]["weight"].any()
    assert gradients[0]["weight"].shape == (2, 3)


def test_nothing_is_accumulated_and_no_hook_stays() -> None:
    model = Steps(residual)
    record(model, images())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(module._forward_hooks for module in model.modules())


def test_no_hook_stays_after_an_error() -> None:
    model = Steps(lambda self, x: x[:, :2])
    with pytest.raises(ModelError):
        Recorder(model).run(images())
    assert not any(module._forward_hooks for module in model.modules())
    torch.relu(torch.ones(1))  # the torch-function mode is gone too


def test_two_runs_do_not_mix() -> None:
    recorder = Recorder(PLAIN)
    _, first = recorder.run(images())
    kept = [call.slot("output").value.clone() for call in first]
    _, second = recorder.run(2.0 * images())
    assert len(first) == len(second) == 2
    for call, value, other in zip(first, kept, second, strict=True):
        assert torch.equal(call.slot("output").value, value)
        assert not torch.equal(value, other.slot("output").value)


def test_a_layer_called_by_keyword() -> None:
    model = Steps(lambda self, x: self.norm(input=x))
    calls, _ = record(model, images())
    assert "normalized" in calls[0].slots


def test_a_weight_that_is_computed_is_the_one_that_was_used() -> None:
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(3, 3))
    inputs = torch.randn(4, 3)
    calls, gradients = record(nn.Sequential(layer, nn.Tanh(), layer), inputs.requires_grad_())
    assert calls[0].weight is calls[1].weight
    plain = nn.Linear(3, 3)
    plain.load_state_dict({"weight": calls[0].weight.detach(), "bias": layer.bias.detach()})
    expected = record(nn.Sequential(plain, nn.Tanh(), plain), inputs)[1]
    torch.testing.assert_close(gradients[0]["weight"], expected[0]["weight"])


@pytest.mark.parametrize("first", [nn.ReLU(inplace=True), nn.Hardtanh(inplace=True)])
def test_a_model_that_overwrites_its_input(first: nn.Module) -> None:
    calls, _ = record(nn.Sequential(first, nn.Conv2d(3, 4, 1)), images())
    assert len(calls) == 1
