"""Models that are awkward to copy or to compute with: scored like their plain twin, and left as they were."""

from __future__ import annotations

import copy
import functools
import threading
import warnings
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from zcproxy.errors import ModelError
from zcproxy.models.macs import count_macs
from zcproxy.names.proxies import resolve_proxy

PROXIES = ("flops", "snip", "synflow", "meco", "zen", "grasp")
Forward = Callable[[Tensor], Tensor]


class Plain(nn.Module):
    """A convolution with normalisation, one with a bias, and a classifier: what most models here compute."""

    def __init__(self) -> None:
        super().__init__()
        self.make()

    def make(self) -> None:
        self.conv, self.norm = nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.next, self.fc = nn.Conv2d(6, 7, 3, stride=2, padding=1), nn.Linear(7, 5)

    def features(self, x: Tensor) -> Tensor:
        return torch.relu(self.next(torch.relu(self.norm(self.conv(x)))))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.fc(self.features(x).mean((2, 3)))
        return result


class Lambda(Plain):
    def __init__(self) -> None:
        super().__init__()
        self.block: Forward = lambda x: torch.relu(self.norm(self.conv(x)))

    def features(self, x: Tensor) -> Tensor:
        return torch.relu(self.next(self.block(x)))


class Defaults(Plain):
    """Layers as default arguments of a function."""

    def __init__(self) -> None:
        super().__init__()

        def block(x: Tensor, conv: nn.Module = self.conv, *, norm: nn.Module = self.norm) -> Tensor:
            return torch.relu(norm(conv(x)))

        self.block = block

    def features(self, x: Tensor) -> Tensor:
        return torch.relu(self.next(self.block(x)))


class Nested(Plain):
    """A closure in a partial function in a list, which calls another closure."""

    def __init__(self) -> None:
        super().__init__()
        inner: Forward = lambda x: self.norm(self.conv(x))  # noqa: E731
        self.blocks = [functools.partial(lambda x, function: torch.relu(function(x)), function=inner)]

    def features(self, x: Tensor) -> Tensor:
        return torch.relu(self.next(self.blocks[0](x)))


class BoundMethods(Plain):
    def __init__(self) -> None:
        super().__init__()
        self.steps = (self.conv.__call__, self.norm.__call__)

    def features(self, x: Tensor) -> Tensor:
        for step in self.steps:
            x = step(x)
        return torch.relu(self.next(torch.relu(x)))


class PlainList(Plain):
    """Layers that are not registered."""

    def make(self) -> None:
        first, norm = nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.layers = {"first": [first, norm, nn.ReLU(), nn.Dropout(0.5)]}
        self.next, self.fc = nn.Conv2d(6, 7, 3, stride=2, padding=1), nn.Linear(7, 5)

    def features(self, x: Tensor) -> Tensor:
        for layer in self.layers["first"]:
            x = layer(x)
        return torch.relu(self.next(x))


class Keeps(Plain):
    """An activation and what follows from it are kept, in an attribute and in a dictionary."""

    def features(self, x: Tensor) -> Tensor:
        self.kept = super().features(x)
        self.cache = {"deep": [self.kept * 2.0]}
        return self.kept


class Views(Plain):
    """`view` needs channels before positions in memory."""

    def forward(self, x: Tensor) -> Tensor:
        y = self.features(x)
        result: Tensor = self.fc(y.view(y.size(0), y.size(1), -1).mean(2))
        return result


class Strides(Plain):
    """`as_strided` takes the usual place in memory for granted, and gives other numbers elsewhere without a word."""

    def forward(self, x: Tensor) -> Tensor:
        y = self.features(x)
        size = y.shape[2] * y.shape[3]
        result: Tensor = self.fc(y.as_strided((len(y), 7, size), (7 * size, size, 1)).mean(2))
        return result


class Makes(Plain):
    """Tensors made in forward are of torch's default dtype."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(torch.matmul(x, torch.eye(12)))


class SaysFloat(Plain):
    """Tensors made in forward are float32, whatever the default is."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(torch.matmul(x, torch.eye(12, dtype=torch.float32)))


class Constants(Plain):
    """A plain tensor as an attribute, which no buffer is, and one among the defaults of a function."""

    def make(self) -> None:
        super().make()
        self.eye = torch.eye(12)
        self.mix = functools.partial(torch.matmul, other=torch.eye(12))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(self.mix(x) @ self.eye)


class Rotates(Plain):
    """A complex buffer."""

    def make(self) -> None:
        super().make()
        self.register_buffer("turn", torch.eye(12, dtype=torch.complex64))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(torch.matmul(x.to(self.turn.dtype), self.turn).real)


class Counts(Plain):
    """An integer and a boolean parameter, one that is frozen, and things that cannot be copied."""

    def make(self) -> None:
        super().make()
        self.steps = nn.Parameter(torch.tensor([3, -1]), requires_grad=False)
        self.mask = nn.Parameter(torch.ones(7, dtype=torch.bool), requires_grad=False)
        self.next.weight.requires_grad_(False)
        self.lock, self.functions = threading.Lock(), torch.nn.functional

    def forward(self, x: Tensor) -> Tensor:
        with self.lock:
            return super().forward(torch.where(self.mask[0], x, -x))


class Hooked(Plain):
    """Forward hooks that keep what they see, and a module whose forward was replaced."""

    def make(self) -> None:
        super().make()
        self.seen: list[Tensor] = []
        self.next.register_forward_hook(lambda module, inputs, output: self.seen.append(output))
        forward = self.norm.forward
        self.norm.forward = lambda x: 1.0 * forward(x)  # type: ignore[method-assign, assignment]


AWKWARD: dict[str, type[Plain]] = {
    each.__name__: each
    for each in (
        *(Lambda, Defaults, Nested, BoundMethods, PlainList, Keeps, Views, Strides, Makes, SaysFloat),
        *(Constants, Rotates, Counts, Hooked),
    )
}


def made(kind: type[Plain]) -> Plain:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return kind()


@pytest.fixture
def images() -> Tensor:
    return torch.randn(6, 3, 12, 12, generator=torch.Generator().manual_seed(1))


Snapshot = list[tuple[Any, ...]]


def snapshot(model: nn.Module) -> Snapshot:
    """Return all that scoring must leave alone."""
    tensors = [*model.named_parameters(), *model.named_buffers()]
    return [
        *((name, id(tensor), tensor.detach().clone(), tensor.grad, tensor.requires_grad) for name, tensor in tensors),
        *((name, id(tensor), tensor.stride(), tensor.dtype, tensor.is_leaf) for name, tensor in tensors),
        *((name, id(module), module.training, len(module._forward_hooks)) for name, module in model.named_modules()),
    ]


def same(first: Snapshot, second: Snapshot) -> bool:
    def equal(one: Any, other: Any) -> bool:
        return torch.equal(one, other) if isinstance(one, Tensor) and isinstance(other, Tensor) else bool(one == other)

    return len(first) == len(second) and all(
        len(a) == len(b) and all(map(equal, a, b)) for a, b in zip(first, second, strict=True)
    )


def scores(model: nn.Module, inputs: Tensor) -> dict[str, float]:
    return {name: resolve_proxy(name)(model, inputs) for name in PROXIES}


def products(model: nn.Module) -> float:
    """The multiply-adds that torch counts: some models here have one more than their twin, by a constant matrix."""
    return float(count_macs(made(type(model)), torch.zeros(1, 3, 12, 12)))


@pytest.mark.parametrize("name", AWKWARD)
@pytest.mark.parametrize("used", [False, True], ids=["fresh", "used"])
def test_an_awkward_model_scores_like_its_twin_and_is_left_as_it_was(name: str, used: bool, images: Tensor) -> None:
    model, twin = made(AWKWARD[name]), made(Plain)
    if used:
        model(images).sum().backward()
        twin(images)
    before, kept = snapshot(model), list(getattr(model, "seen", ()))
    found, expected = scores(model, images), scores(twin, images)
    assert same(before, snapshot(model)) and len(getattr(model, "seen", ())) == len(kept)
    expected["flops"] += products(model) - products(twin)
    for proxy in PROXIES:
        assert found[proxy] == pytest.approx(expected[proxy], rel=2e-3), proxy


def old_style(normalise: Callable[[nn.Module], nn.Module]) -> Plain:
    model = made(Plain)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        normalise(model.conv)
    return model


@pytest.mark.parametrize("used", [False, True], ids=["fresh", "used"])
@pytest.mark.parametrize("proxy", ["snip", "synflow"])
def test_weights_that_are_computed(proxy: str, used: bool, images: Tensor) -> None:
    twins = {
        "weight_norm": (nn.utils.weight_norm, nn.utils.parametrizations.weight_norm),
        "spectral_norm": (nn.utils.spectral_norm, nn.utils.parametrizations.spectral_norm),
        "pruned": (lambda layer: prune.random_unstructured(layer, "weight", 0.0), lambda layer: layer),
    }
    for name, (old, new) in twins.items():
        models = old_style(old), old_style(new)
        if name == "spectral_norm":
            first, second = models[0].conv, models[1].conv.parametrizations.weight[0]
            second._u, second._v = first.weight_u.clone(), first.weight_v.clone()
        if used:
            for model in models:
                model.eval()
                model(images)
        before = snapshot(models[0])
        found, expected = (resolve_proxy(proxy)(model, images) for model in models)
        assert found > 0 and found == pytest.approx(expected, rel=1e-3), name
        assert same(before, snapshot(models[0]))


def test_the_graph_of_the_user_survives(images: Tensor) -> None:
    model = made(Keeps)
    loss = model(images).sum()
    scores(model, images)
    loss.backward()
    gradient = model.conv.weight.grad
    assert gradient is not None and gradient.abs().sum() > 0
    scores(model, images)
    assert model.conv.weight.grad is gradient


CONV = nn.Conv2d(3, 6, 3, padding=1)
NORM = nn.BatchNorm2d(6)


class Global(Plain):
    def features(self, x: Tensor) -> Tensor:
        return torch.relu(self.next(torch.relu(NORM(CONV(x)))))


class Weak(Plain):
    def make(self) -> None:
        super().make()
        self.itself = weakref.ref(self)

    def features(self, x: Tensor) -> Tensor:
        model = self.itself()
        assert model is not None
        return torch.relu(self.next(torch.relu(model.norm(model.conv(x)))))


class Layers(Plain):
    """A layer with new weights at every call."""

    def features(self, x: Tensor) -> Tensor:
        return torch.relu(self.next(nn.Conv2d(3, 6, 1)(x)))


@pytest.mark.parametrize("kind", [Global, Weak, Layers])
def test_what_a_copy_cannot_own_is_refused(kind: type[Plain], images: Tensor) -> None:
    model = made(kind)
    before = snapshot(model)
    with pytest.raises(ModelError, match="make it an attribute of the model"):
        resolve_proxy("snip")(model, images)
    assert same(before, snapshot(model))


class Fails(Plain):
    def __init__(self, error: BaseException, calls: int) -> None:
        super().__init__()
        self.error, self.left = [error], [calls]

    def forward(self, x: Tensor) -> Tensor:
        if self.left[0] == 0:
            raise self.error[0]
        self.left[0] -= 1
        return super().forward(x)


@contextmanager
def untouched(model: nn.Module) -> Iterator[None]:
    before, torch_state = snapshot(model), (torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_rng_state())
    yield
    assert same(before, snapshot(model))
    dtype, grad, state = torch_state
    assert torch.get_default_dtype() == dtype and torch.is_grad_enabled() == grad
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    "error",
    [
        *(OSError("no file"), MemoryError(), ImportError("no module"), StopIteration(), RecursionError("deep")),
        *(Exception("plain\nwith a second line"), KeyError("name"), ValueError("x" * 2000), UserWarning("w\x1b[2J")),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("calls", [0, 1])
def test_whatever_a_forward_raises_is_one_line(error: BaseException, calls: int, images: Tensor) -> None:
    model = Fails(error, calls)
    with untouched(model), pytest.raises(ModelError) as caught:
        resolve_proxy("synflow")(model, images)
    message = str(caught.value)
    assert message.isprintable() and len(message) < 500


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)])
def test_an_interruption_passes_and_leaves_nothing(error: BaseException, images: Tensor) -> None:
    model = Fails(error, 1)
    with untouched(model), pytest.raises(type(error)):
        resolve_proxy("synflow")(model, images)


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


STATES: dict[str, Callable[[], Any]] = {
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "default dtype": lambda: default_dtype(torch.float64),
    "default device": lambda: torch.device("meta"),
}


@pytest.mark.parametrize("name", STATES)
def test_the_state_of_torch_is_not_the_model_s(name: str, images: Tensor) -> None:
    model = made(Makes)
    expected = scores(model, images)
    with STATES[name]():
        assert scores(model, images) == expected
    assert torch.get_default_dtype() == torch.float32


def test_a_model_made_in_inference_mode(images: Tensor) -> None:
    with torch.inference_mode():
        model = made(Plain)
    assert scores(model, images) == scores(made(Plain), images)
    assert model.conv.weight.is_inference()


class Autocast(Plain):
    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return super().forward(x)


@pytest.mark.parametrize("proxy", ["meco", "naswot", "snip", "synflow", "zc-forward"])
def test_half_precision_in_forward(proxy: str, images: Tensor) -> None:
    found, expected = (resolve_proxy(proxy)(made(kind), images) for kind in (Autocast, Plain))
    assert found == pytest.approx(expected, rel=0.2)
    half = copy.deepcopy(made(Plain)).bfloat16()
    assert resolve_proxy(proxy)(half, images.bfloat16()) == pytest.approx(
        resolve_proxy(proxy)(half.float(), images.bfloat16().float()), rel=1e-6
    )


def test_a_model_in_double_precision(images: Tensor) -> None:
    found, expected = scores(made(Makes).double(), images.double()), scores(made(Plain), images)
    expected["flops"] += products(Makes()) - products(Plain())
    assert all(found[name] == pytest.approx(expected[name], rel=5e-3) for name in PROXIES)


@pytest.mark.parametrize("where", ["model", "layer", "function", "in place"])
def test_compiled_models(where: str, images: Tensor) -> None:
    model: Any = made(Lambda)
    expected = scores(model, images)
    if where == "model":
        model = torch.compile(model, backend="eager")
    elif where == "layer":
        model.conv = torch.compile(model.conv, backend="eager")
    elif where == "function":
        model.block = torch.compile(model.block, backend="eager")
    else:
        model.compile(backend="eager")
    assert scores(model, images) == expected
