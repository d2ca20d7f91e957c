"""Where layers are found, what is left out with a warning, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zcproxy import Proxy
from zcproxy.errors import ModelError, ModelWarning
from zcproxy.names.proxies import resolve_proxy
from zcproxy.primitives import parse
from zcproxy.probing.coverage import Coverage
from zcproxy.probing.measure import measure
from zcproxy.probing.samples import NO_SAMPLES, UNKNOWN, SampleAxis, sample_axis
from zcproxy.probing.structure import examine

IMAGES = torch.randn(6, 3, 8, 8, generator=torch.Generator().manual_seed(1))
TOKENS = torch.randn(6, 5, 6, generator=torch.Generator().manual_seed(2))
MACS = Proxy(parse("total_macs"))


class Written(nn.Module):
    """A forward pass by a function, with the parts that it needs."""

    def __init__(self, forward: Callable[..., Tensor], *parts: nn.Module, **values: Tensor) -> None:
        super().__init__()
        self.written, self.parts = forward, nn.ModuleList(parts)
        for name, value in values.items():
            self.register_parameter(name, nn.Parameter(value))
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.written(self, x))


def column(model: nn.Module, inputs: Tensor, text: str) -> np.ndarray:
    found = parse(text)
    return measure(model, inputs, None, [found]).values[found]


# Operations


@pytest.mark.parametrize(
    "product",
    [
        lambda self, x: x @ self.w,
        lambda self, x: torch.matmul(x, self.w),
        lambda self, x: torch.bmm(x, self.w.expand(len(x), -1, -1)),
        lambda self, x: torch.bmm(x, self.w.repeat(len(x), 1, 1)),
        lambda self, x: torch.einsum("btc,co->bto", x, self.w),
        lambda self, x: torch.einsum("abc,cd", x, self.w),
        lambda self, x: torch.tensordot(x, self.w, 1),
        lambda self, x: F.linear(x, self.w.t()),
        lambda self, x: (self.w.t() @ x.transpose(1, 2)).transpose(1, 2),
        lambda self, x: torch.mm(x.flatten(0, 1), self.w).view(len(x), -1, 8),
        lambda self, x: torch.baddbmm(torch.zeros(1, 1, 8), x, self.w.expand(len(x), -1, -1)),
    ],
    ids=["@", "matmul", "bmm", "repeat", "einsum", "implicit", "tensordot", "linear", "left", "mm", "baddbmm"],
)
def test_every_way_to_write_a_product_is_a_linear_layer(product: Callable[..., Tensor]) -> None:
    weight = torch.randn(6, 8, generator=torch.Generator().manual_seed(3))
    linear = nn.Linear(6, 8, bias=False)
    linear.weight = nn.Parameter(weight.t().clone())
    plain = Written(lambda self, x: torch.relu(self.parts[0](x)).mean(1), linear)
    written = Written(lambda self, x: torch.relu(product(self, x)).mean(1), w=weight)
    written.head = plain.head
    texts = ["macs", "fan_in", "l1_norm(grad(weight)@data)", "sum(weight)", "frobenius_norm(output@redrawn)"]
    texts += ["smallest_eigenvalue(channel_gram(output@noise))", "l1_norm(sample_gram(grad(output)@noise))"]
    for text in texts:
        np.testing.assert_allclose(
            column(written, TOKENS, text), column(plain, TOKENS, text), rtol=1e-4, atol=1e-3, err_msg=text
        )


def test_products_of_data_are_no_layers() -> None:
    attention = Written(lambda self, x: (x @ x.transpose(1, 2)).softmax(-1).mean(1) @ self.w, w=torch.randn(5, 8))
    assert list(column(attention, TOKENS, "macs")) == [5 * 8, 8 * 3]
    assert column(attention, TOKENS, "total_macs") == 5 * 6 * 5 + 5 * 8 + 8 * 3


def test_a_transposed_convolution_with_a_stride() -> None:
    layer = nn.ConvTranspose2d(3, 8, 4, stride=2, padding=1, groups=1)
    model = Written(lambda self, x: torch.relu(self.parts[0](x)).mean((2, 3)), layer)
    assert column(model, IMAGES, "macs")[0] == 64 * layer.weight.numel()
    assert column(model, IMAGES, "fan_in")[0] == 3 * 16
    assert column(model, IMAGES, "channels")[0] == 8


def test_learned_queries_are_projected_by_layers() -> None:
    def forward(self: Written, x: Tensor) -> Tensor:
        query = self.parts[0](self.query).expand(len(x), -1, -1)
        return (query @ self.parts[1](x).transpose(1, 2)).softmax(-1).mean(1) @ self.parts[1](x).mean(0)

    model = Written(forward, nn.Linear(6, 8), nn.Linear(6, 8), query=torch.randn(4, 6))
    assert examine(model, TOKENS).coverage.unseen == {"query": 24}
    assert len(examine(model, TOKENS).live) == 4


def test_weights_that_a_network_generates() -> None:
    def forward(self: Written, x: Tensor) -> Tensor:
        weight = self.parts[0](self.code).view(8, 3, 3, 3)
        return torch.relu(F.conv2d(x, weight, padding=1)).mean((2, 3))

    model = Written(forward, nn.Linear(4, 216), code=torch.randn(1, 4))
    assert examine(model, IMAGES).coverage.unseen == {}
    assert list(column(model, IMAGES, "fan_in")) == [4, 27, 8]


# What is not seen


def unseen(width: int) -> nn.Module:
    return Written(lambda self, x: self.parts[0](x).mean(1) * self.w.mean(), nn.Linear(6, 8), w=torch.randn(1, width))


class Conditional(nn.Module):
    """A convolution whose weight a linear layer makes of what it is applied to, as in CondConv."""

    def __init__(self) -> None:
        super().__init__()
        self.route = nn.Linear(3, 8 * 3 * 9)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.route(x.mean((2, 3))).view(-1, 3, 3, 3)
        return F.conv2d(x.flatten(0, 1)[None], weight, groups=len(x))[0].unflatten(0, (len(x), 8))


def conditional() -> nn.Module:
    return Written(lambda self, x: torch.relu(self.parts[0](x)).mean((2, 3)), Conditional())


def test_a_weight_computed_from_data_is_a_warning_that_names_the_module() -> None:
    assert examine(conditional(), IMAGES).coverage.generated == ("parts.0",)
    with pytest.warns(ModelWarning, match=r"^a weight computed from the data makes no layer \(in parts\.0\)") as caught:
        MACS(conditional(), IMAGES)
    assert len(caught) == 1


def test_attention_and_fixed_filters_are_no_such_weights() -> None:
    def forward(self: Written, x: Tensor) -> Tensor:
        blurred = F.conv2d(x, torch.ones(3, 1, 3, 3) / 9, groups=3, padding=1)
        tokens = self.parts[0](blurred).flatten(2).mT
        return F.scaled_dot_product_attention(tokens, tokens, tokens).mean(1)

    assert examine(Written(forward, nn.Conv2d(3, 8, 3)), IMAGES).coverage == Coverage()


def test_few_unseen_parameters_are_no_matter() -> None:
    assert MACS(nn.Sequential(nn.Linear(6, 8)), TOKENS[:, 0]) == 48


def test_unseen_parameters_are_a_warning() -> None:
    with pytest.warns(ModelWarning, match=r"^12\.2% of the parameters .* \(largest: w\): the score leaves them out$"):
        MACS(unseen(10), TOKENS)


@pytest.mark.parametrize("model", [unseen(1000), None], ids=["parameter", "packed"])
def test_most_parameters_unseen_are_an_error(model: nn.Module | None) -> None:
    def packed(self: Written, x: Tensor) -> Tensor:
        lengths = torch.full((len(x),), x.shape[1])
        sequence = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
        return self.parts[0](sequence)[1][0][-1]

    chosen = model or Written(packed, nn.LSTM(6, 8, batch_first=True))
    with pytest.raises(ModelError, match=r"of the parameters of two or more dimensions are in no layer") as raised:
        MACS(chosen, TOKENS)
    assert len(str(raised.value)) < 500


def test_parameters_that_take_no_part_are_not_missed() -> None:
    model = Written(lambda self, x: self.parts[0](x).mean(1), nn.Linear(6, 8), nn.Linear(500, 500))
    assert examine(model, TOKENS).coverage.unseen_share == 0.0


# Samples


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        (lambda x: x, SampleAxis(0)),
        (lambda x: x.transpose(0, 1), SampleAxis(1)),
        (lambda x: x.flatten(0, 1), SampleAxis(0, 1, 4)),
        (lambda x: x.transpose(0, 1).flatten(0, 1), SampleAxis(0, 4, 1)),
        (lambda x: x.unflatten(1, (2, 2)).transpose(0, 1).flatten(0, 2), SampleAxis(0, 2, 2)),
        (lambda x: x[:1], NO_SAMPLES),
        (lambda x: x.flatten(0, 1)[torch.randperm(4 * len(x), generator=torch.Generator().manual_seed(1))], UNKNOWN),
        (lambda x: torch.zeros(len(x), len(x)), UNKNOWN),
    ],
    ids=["first", "second", "windows", "windows first", "between", "none", "mixed", "two axes"],
)
def test_the_axis_of_the_samples(layout: Callable[[Tensor], Tensor], expected: SampleAxis) -> None:
    generator = torch.Generator().manual_seed(0)
    small = torch.randn(2, 4, 3, generator=generator)
    large = torch.stack([small[0], small[0], small[1]])
    found = sample_axis(layout(small).shape, layout(large))
    assert found == expected
    if expected not in (NO_SAMPLES, UNKNOWN):
        batch = torch.randn(5, 4, 3, generator=generator)
        moved = found.moved_first(layout(batch), channels_last=True)
        assert torch.equal(moved.reshape(5, 4, 3), batch)


def test_mixed_samples_are_nan_with_a_reason() -> None:
    def forward(self: Written, x: Tensor) -> Tensor:
        order = torch.randperm(x.shape[0] * x.shape[1], generator=torch.Generator().manual_seed(1))
        y = torch.relu(self.parts[0](x.flatten(0, 1)[order]))
        return y[order.argsort()].view(*x.shape[:2], 8).mean(1)

    model = Written(forward, nn.Linear(6, 8))
    assert resolve_proxy("synflow")(model, TOKENS) > 0
    with pytest.warns(ModelWarning, match=r"^layers do not have the samples on one axis \(parts\.0\)"):
        assert math.isnan(resolve_proxy("naswot")(model, TOKENS))


# Passes


def test_a_pass_of_other_sizes_is_a_model_error() -> None:
    def forward(self: Written, x: Tensor) -> Tensor:
        return self.parts[0](x[:, : 4 if len(x) > 3 else 5]).mean(1)

    with pytest.raises(ModelError, match=r"^layer parts\.0 has 192 outputs for 6 samples, 240 were expected"):
        resolve_proxy("naswot")(Written(forward, nn.Linear(6, 8)), TOKENS)


def test_a_squeeze_of_single_samples_is_no_matter() -> None:
    def forward(self: Written, x: Tensor) -> Tensor:
        return self.parts[0](x).mean((2, 3), keepdim=True).squeeze()

    assert resolve_proxy("synflow")(Written(forward, nn.Conv2d(3, 8, 3)), IMAGES) > 0


# What is zero at first


def residual(scale: float, depth: int) -> nn.Module:
    torch.manual_seed(0)
    stem = [nn.Conv2d(3, 8, 3, padding=1), nn.ReLU()]
    blocks = [nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8)) for _ in range(depth)]
    for block in blocks:
        nn.init.constant_(block[1].weight, scale)

    def forward(self: Written, x: Tensor) -> Tensor:
        y = self.parts[0](x)
        for block in self.parts[1:]:
            y = y + torch.relu(block(y))
        return y.mean((2, 3))

    return Written(forward, nn.Sequential(*stem), *blocks)


@pytest.mark.parametrize("name", ["naswot", "meco", "az_expressivity", "synflow", "zc-general", "snip"])
def test_scales_that_start_at_zero_are_ones(name: str) -> None:
    proxy = resolve_proxy(name)
    zero, one, deep = (proxy(model, IMAGES) for model in (residual(0.0, 2), residual(1.0, 2), residual(0.0, 4)))
    assert zero == one != deep
    assert not any(block[1].weight.any() for block in list(residual(0.0, 1).parts)[1:])


@pytest.mark.parametrize("part", ["head", "branch"])
def test_a_weight_that_starts_at_zero_leaves_the_layers_before_it_alive(part: str) -> None:
    model = residual(1.0, 2)
    layer = model.head if part == "head" else model.parts[1][0]
    nn.init.zeros_(layer.weight)
    assert measure(model, IMAGES, None, []).layers == 4
    assert Proxy(parse("sum(l1_norm(weight))"))(model, IMAGES) < Proxy(parse("sum(l1_norm(weight))"))(
        residual(1.0, 2), IMAGES
    )
