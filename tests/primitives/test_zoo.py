from __future__ import annotations

import copy
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from zcproxy import Proxy
from zcproxy.benchmarks.nasbench201 import NASBench201Network
from zcproxy.errors import FormulaError, ProxyFileError
from zcproxy.formula import parse
from zcproxy.primitives import zoo
from zcproxy.primitives.zoo import NAMES, published, resolve_proxy
from zcproxy.sweep.probes import PROBES

torch.set_num_threads(1)
Network = Callable[[], nn.Module]
Direct = Callable[[nn.Module, Tensor, Tensor], float]


class Plain(nn.Module):
    """Convolutions with a ReLU before each but the first, and a classifier behind one."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, padding=1)
        self.body = nn.Sequential(
            *[nn.ReLU(), nn.Conv2d(6, 8, 3, stride=2, groups=2, bias=False), nn.BatchNorm2d(8)],
            *[nn.ReLU(), nn.Conv2d(8, 7, 1, bias=False), nn.BatchNorm2d(7), nn.Flatten(), nn.ReLU()],
        )
        self.head = nn.Linear(7 * 49, 5)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.body(self.stem(inputs)))


CELL = "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|nor_conv_1x1~0|avg_pool_3x3~1|nor_conv_3x3~2|"
NETWORKS: dict[str, Network] = {
    "plain": Plain,
    "cell": lambda: NASBench201Network(CELL, 5, channels=4, cells=1),
}


def weighted(model: nn.Module) -> list[nn.Module]:
    return [module for module in model.modules() if isinstance(module, nn.Conv2d | nn.Linear)]


def gradients(model: nn.Module, inputs: Tensor, targets: Tensor) -> list[Tensor]:
    """Gradients of the cross-entropy, computed by `backward` on a copy in training mode."""
    fresh = copy.deepcopy(model).train()
    functional.cross_entropy(fresh(inputs), targets).backward()
    return [module.weight.grad.clone() for module in weighted(fresh)]


def params(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    return float(
        sum(math.prod(value.shape) for value in model.state_dict(keep_vars=True).values() if value.requires_grad)
    )


def flops(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Multiply-adds, found by asking how many products each output needs: a network of ones fed with ones."""
    total = 0.0

    def count(module: nn.Module, arguments: tuple[Tensor], output: Tensor) -> None:
        nonlocal total
        total += output[0].numel() * module.weight[0].numel()  # type: ignore[index, operator]
        total += 0 if module.bias is None else output[0].numel()

    handles = [module.register_forward_hook(count) for module in weighted(model)]
    with torch.no_grad():
        copy.deepcopy(model)(inputs)
    for handle in handles:
        handle.remove()
    return total


def grad_norm(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Abdelfattah et al.: the sum over layers of the norms."""
    return sum(gradient.norm().item() for gradient in gradients(model, inputs, targets))


def snip(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Lee et al.: the gradient by a mask of ones on each weight."""
    fresh = copy.deepcopy(model).train()
    masks = []
    for module in weighted(fresh):
        mask = torch.ones_like(module.weight).requires_grad_()
        weight = module.weight.detach()
        del module.weight
        module.weight = weight * mask
        masks.append(mask)
    loss = functional.cross_entropy(fresh(inputs), targets)
    return sum(gradient.abs().sum().item() for gradient in torch.autograd.grad(loss, masks))


def synflow(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Tanaka et al.: the product of weight and gradient in the linear network of absolute weights."""
    linear = copy.deepcopy(model).double()
    for module in linear.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, nn.Identity())
    with torch.no_grad():
        for parameter in linear.parameters():
            parameter.abs_()
    linear(torch.ones_like(inputs[:1]).double()).sum().backward()
    return sum((module.weight * module.weight.grad).abs().sum().item() for module in weighted(linear))


def naswot(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Mellor et al.: K = c c^T + (1 - c)(1 - c)^T over the units in front of each weight layer."""
    fresh = copy.deepcopy(model).train()
    kernel = np.zeros((len(inputs), len(inputs)))
    sources: dict[int, Tensor] = {}  # outputs of ReLUs and what they were computed from
    alive: list[Tensor] = []

    def remember(module: nn.Module, arguments: tuple[Tensor], output: Tensor) -> None:
        sources[id(output)] = arguments[0]
        alive.append(output)

    def add(module: nn.Module, arguments: tuple[Tensor], output: Tensor) -> None:
        nonlocal kernel
        units = sources.get(id(arguments[0]), arguments[0]).detach().flatten(1).numpy()
        code = (units > 0).astype(float)
        kernel += code @ code.T + (1.0 - code) @ (1.0 - code).T

    for module in fresh.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(remember)
    for module in weighted(fresh):
        module.register_forward_hook(add)
    fresh(inputs)
    return float(np.linalg.slogdet(kernel)[1])


def zico(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Li et al., equation 4, over the sub-batches of the probe."""
    parts = PROBES["chunks"].sub_batches
    split = [gradients(model, *pair) for pair in zip(inputs.chunk(parts), targets.chunk(parts), strict=True)]
    total = 0.0
    for layer in zip(*split, strict=True):
        magnitudes = np.stack([gradient.abs().numpy() for gradient in layer]).astype(np.float64)
        deviations = magnitudes.std(0)
        if (deviations == 0.0).any():  # a weight behind a dead unit
            return math.nan
        total += math.log((magnitudes.mean(0) / deviations).sum())
    return total


DIRECT: dict[str, Direct] = {
    "params": params,
    "flops": flops,
    "grad_norm": grad_norm,
    "snip": snip,
    "synflow": synflow,
    "naswot": naswot,
    "zico": zico,
}


def made(name: str) -> tuple[nn.Module, Tensor, Tensor]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        return NETWORKS[name](), torch.randn(24, 3, 16, 16), torch.arange(24) % 5


def test_every_published_proxy_is_checked() -> None:
    files = {path.stem for path in Path(zoo.__file__).parent.glob("*.py")} - {"__init__", "published"}
    assert files == set(NAMES) == set(DIRECT)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("name", NAMES)
def test_a_published_proxy_equals_a_direct_computation(name: str, network: str) -> None:
    model, inputs, targets = made(network)
    model, inputs = model.double(), inputs.double()
    score = resolve_proxy(name)(model, inputs, targets)
    assert math.isfinite(score)
    assert score == pytest.approx(DIRECT[name](model, inputs, targets), rel=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_single_precision_is_enough(name: str) -> None:
    model, inputs, targets = made("cell")
    score = resolve_proxy(name)(model, inputs, targets)
    precise = resolve_proxy(name)(copy.deepcopy(model).double(), inputs.double(), targets)
    assert score == pytest.approx(precise, rel=2e-2)


@pytest.mark.parametrize("name", NAMES)
def test_a_published_proxy_says_where_it_comes_from(name: str) -> None:
    entry = published(name)
    assert entry.name == name and entry.paper and "\n" not in entry.formula
    proxy = resolve_proxy(name)
    assert proxy == Proxy(parse(entry.formula), name=name, provenance={"paper": entry.paper})


# What a user may write


def test_a_formula_is_a_proxy() -> None:
    proxy = resolve_proxy("sum(log(params)) - depth")
    assert proxy.formula == parse("sum(log(params)) - depth") and proxy.name == "sum(log(params)) - depth"


def test_a_file_is_a_proxy(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    Proxy(parse("sum(macs)"), name="mine", batch_size=4).save(path)
    proxy = resolve_proxy(str(path))
    assert (proxy.formula, proxy.name, proxy.batch_size) == (parse("sum(macs)"), "mine", 4)
    renamed = path.rename(tmp_path / "no-ending")
    assert resolve_proxy(str(renamed)).name == "mine"


def test_a_descriptor_of_the_network_is_a_formula() -> None:
    assert resolve_proxy("total_params").formula == parse("total_params")


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("synflwo", ProxyFileError, "(did you mean synflow"),
        ("zzz", ProxyFileError, "'zzz' is no file, no published proxy and no formula; published are params, flops"),
        ("missing.json", ProxyFileError, "cannot read the proxy file missing.json: No such file"),
        ("sum(parms)", FormulaError, "unknown name 'parms' (did you mean params"),
        ("sum(params", FormulaError, "expected ')' but found end of the formula"),
        ("params + macs", FormulaError, "a proxy yields one number a network, but 'params + macs' is of kind Layer"),
        ("", FormulaError, "expected a name, a number or '('"),
    ],
)
def test_what_is_no_proxy_is_an_error_of_one_line(text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as raised:
        resolve_proxy(text)
    assert message in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_an_unknown_published_name_comes_with_the_nearest() -> None:
    with pytest.raises(ProxyFileError, match=r"no published proxy is called 'naswott' \(did you mean naswot"):
        published("naswott")


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"formula": 3}', '{"format": 1, "formula": "sum(", "probes": {}}']
)
def test_a_broken_file_is_an_error_of_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "broken.json"
    path.write_text(content)
    with pytest.raises((ProxyFileError, FormulaError)) as raised:
        resolve_proxy(str(path))
    assert str(path) in str(raised.value) and len(str(raised.value).splitlines()) == 1
