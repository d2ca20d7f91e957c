"""Models, inputs and targets that cannot be measured: each is a `ModelError` of one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from zcproxy import Proxy
from zcproxy.errors import ModelError
from zcproxy.primitives import parse


class Yields(nn.Module):
    """Has a layer and then yields whatever it is told to."""

    def __init__(self, result: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 3)
        self.result = result

    def forward(self, inputs: Tensor) -> object:
        return self.result(self.layer(inputs))


def raises(error: Exception) -> Callable[[Tensor], object]:
    def raising(_: Tensor) -> object:
        raise error

    return raising


def infinite() -> nn.Module:
    model = nn.Linear(6, 3)
    model.bias.data[1] = torch.inf
    return model


def not_a_number() -> nn.Module:
    model = nn.Sequential(nn.Linear(6, 3), nn.BatchNorm1d(3))
    model[1].weight.data[0] = torch.nan
    return model


FLOATS = (6,)
BAD: dict[str, tuple[Callable[[], nn.Module], Iterable[int], str]] = {
    "raises": (lambda: Yields(raises(RuntimeError("first\nsecond"))), FLOATS, "the model failed on input of shape"),
    "raises a key error": (lambda: Yields(raises(KeyError("stage"))), FLOATS, "stage"),
    "raises without words": (lambda: Yields(raises(ValueError())), FLOATS, "ValueError"),
    "not implemented": (lambda: Yields(raises(NotImplementedError())), FLOATS, "NotImplementedError"),
    "fails an assertion": (lambda: Yields(raises(AssertionError("size"))), FLOATS, "size"),
    "no forward": (nn.Module, FLOATS, "forward"),
    "returns a tuple": (
        lambda: Yields(lambda x: (None, "x")),
        FLOATS,
        "the model returns tuple of 0 (NoneType), 1 (str)",
    ),
    "returns None": (lambda: Yields(lambda x: None), FLOATS, "the model returns NoneType"),
    "returns a dictionary": (lambda: Yields(lambda x: {"logits": 1}), FLOATS, "the model returns dict of logits (int)"),
    "returns a number": (lambda: Yields(lambda x: 1.0), FLOATS, "the model returns float"),
    "returns classes": (lambda: Yields(lambda x: x.argmax(1)), FLOATS, "the model returns a tensor of torch.int64"),
    "has no weight layer": (
        lambda: nn.Sequential(nn.ReLU(), nn.BatchNorm1d(6)),
        FLOATS,
        "no convolution or linear layer",
    ),
    "is empty": (nn.Identity, FLOATS, "no convolution or linear layer"),
    "has NaN weights": (not_a_number, FLOATS, "parameter 1.weight holds NaN or infinity"),
    "has infinite weights": (infinite, FLOATS, "parameter bias holds NaN or infinity"),
    "another width": (lambda: nn.Linear(6, 3), (7,), "the model failed on input of shape (2, 7)"),
    "another rank": (lambda: nn.Conv2d(3, 4, 3), (6,), "the model failed on input of shape"),
    "too small images": (lambda: nn.Sequential(nn.Conv2d(3, 4, 7)), (3, 4, 4), "the model failed on input of shape"),
    "token ids": (
        lambda: nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 3)),
        FLOATS,
        "for token ids, name their number",
    ),
    "other precision": (lambda: nn.Linear(6, 3).double(), FLOATS, "the model failed on input of shape"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_models_are_a_model_error_of_one_line(name: str) -> None:
    make, shape, message = BAD[name]
    for text in ("sum(l1_norm(grad(weight)@data))", "sum(params)", "depth", "sum(l1_norm(weight))"):
        with pytest.raises(ModelError) as raised:
            Proxy(parse(text))(make(), torch.randn(4, *shape))
        assert message in str(raised.value)
        assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize("dtype", [torch.int16, torch.uint8, torch.bool])
def test_inputs_that_are_no_floats_are_a_model_error(dtype: torch.dtype) -> None:
    with pytest.raises(ModelError, match=rf"^inputs are {dtype}, expected floating-point numbers$"):
        Proxy(parse("depth"))(nn.Linear(6, 3), torch.ones(4, 6).to(dtype))


def test_a_forward_pass_of_changing_layers_is_a_model_error() -> None:
    class Fickle(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(6, 6)

        def forward(self, inputs: Tensor) -> Tensor:
            return self.layer(self.layer(inputs)) if len(inputs) > 2 else self.layer(inputs)

    with pytest.raises(ModelError, match="its forward is not fixed"):
        Proxy(parse("sum(l1_norm(output@data))"))(Fickle(), torch.randn(4, 6))


def gradients_of_data(model: nn.Module, *arguments: Tensor) -> None:
    Proxy(parse("sum(l1_norm(grad(weight)@data))"))(model, *arguments)


@pytest.mark.parametrize(
    ("make", "shape", "targets"),
    [
        (lambda: nn.Linear(6, 3), (6,), torch.tensor([0, 1])),
        (lambda: nn.Linear(6, 3), (6,), torch.tensor([0, 1, 2, 7])),
        (lambda: nn.Linear(6, 3), (6,), torch.rand(4)),
        (lambda: nn.Sequential(nn.Linear(6, 1), nn.Flatten(0)), (6,), None),
        (lambda: nn.Conv2d(3, 4, 3), (3, 8, 8), None),
    ],
    ids=["too few targets", "targets out of range", "targets of floats", "one number a sample", "a map a sample"],
)
def test_targets_and_logits_that_do_not_fit_are_a_model_error(
    make: Callable[[], nn.Module], shape: tuple[int, ...], targets: Tensor | None
) -> None:
    with pytest.raises(ModelError):
        gradients_of_data(make(), torch.randn(4, *shape), *([] if targets is None else [targets]))


class Empty(nn.Module):
    """A layer without outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(0, 6))

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs + functional.linear(inputs, self.weight).sum()


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
@pytest.mark.parametrize("kind", ["lazy", "script", "script inside", "meta", "empty", "function"])
def test_models_that_cannot_be_prepared_are_a_model_error(kind: str) -> None:
    model: nn.Module = nn.Sequential(nn.Linear(6, 3))
    if kind == "lazy":
        model = nn.Sequential(nn.LazyLinear(3))
    elif kind == "meta":
        model = nn.Linear(6, 3, device="meta")
    elif kind == "empty":
        model = nn.Sequential(Empty(), nn.Linear(6, 3))
    elif kind == "function":
        model = model.forward  # type: ignore[assignment]
    else:
        model = torch.jit.trace(model, torch.ones(1, 6))
        model = model if kind == "script" else nn.Sequential(model)
    with pytest.raises(ModelError) as raised:
        gradients_of_data(model, torch.randn(4, 6))
    assert len(str(raised.value)) < 500 and "\n" not in str(raised.value)


def test_messages_of_targets_that_do_not_fit() -> None:
    inputs = torch.randn(4, 6)
    for targets, message in (
        (torch.tensor([0, 1]), "targets are torch.int64 of shape (2,), expected one torch.int64 class for each of 4"),
        (torch.tensor([0, 1, 2, 7]), "targets are not all among the 3 classes"),
        (torch.tensor([0, 1, 2, -1]), "targets are not all among the 3 classes"),
        (torch.zeros(4, dtype=torch.uint8), "targets are torch.uint8 of shape (4,)"),
    ):
        with pytest.raises(ModelError) as raised:
            gradients_of_data(nn.Linear(6, 3), inputs, targets)
        assert message in str(raised.value)


@pytest.mark.parametrize("shape", [(0, 6), (4, 0), ()])
def test_inputs_that_hold_nothing_are_a_model_error(shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match="hold nothing: give at least one sample"):
        gradients_of_data(nn.Linear(6, 3), torch.zeros(shape))


def test_a_part_of_one_sample_that_cannot_be_normalised_is_a_model_error() -> None:
    model = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Linear(5, 3))
    with pytest.raises(ModelError, match=r"^the model failed on input of shape \(1, 6\): Expected more than 1 value"):
        Proxy(parse("sum(l1_norm(std(grad(weight)@chunks)))"))(model, torch.randn(3, 6))
