"""Convolutional networks."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model_zoo import Case

IMAGES = (3, 8, 8)


class Lambda(nn.Module):
    """A function as a module."""

    def __init__(self, function, *parts: nn.Module) -> None:
        super().__init__()
        self.function, self.parts = function, nn.ModuleList(parts)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x, *self.parts)


def head(channels: int) -> list[nn.Module]:
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 3)]


def conv(source: int, target: int, kernel: int = 3, **options) -> nn.Conv2d:
    return nn.Conv2d(source, target, kernel, padding=kernel // 2, **options)


def normal(source: int, target: int, kernel: int = 3, **options) -> list[nn.Module]:
    return [conv(source, target, kernel, bias=False, **options), nn.BatchNorm2d(target), nn.ReLU()]


def plain() -> nn.Module:
    return nn.Sequential(*normal(3, 6), *normal(6, 8, stride=2), *head(8))


def vgg() -> nn.Module:
    layers = [conv(3, 4), nn.ReLU(True), nn.MaxPool2d(2), conv(4, 6), nn.ReLU(True), nn.MaxPool2d(2), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(24, 10), nn.ReLU(True), nn.Dropout(), nn.Linear(10, 3))


class Residual(nn.Module):
    def __init__(self, channels: int, *, zero: bool = False) -> None:
        super().__init__()
        self.body = nn.Sequential(*normal(channels, channels), conv(channels, channels), nn.BatchNorm2d(channels))
        if zero:
            nn.init.zeros_(self.body[-1].weight)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.body(x))


def residual(*, zero: bool = False) -> nn.Module:
    return nn.Sequential(conv(3, 6), nn.ReLU(), *(Residual(6, zero=zero) for _ in range(2)), *head(6))


class Gated(nn.Module):
    """A branch behind a gate that starts at zero."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch, self.gate = conv(channels, channels), nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.gate * torch.relu(self.branch(x))


class InvertedResidual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = 2 * channels
        self.expand, self.project = nn.Sequential(*normal(channels, inner, 1)), conv(inner, channels, 1)
        self.depthwise = nn.Sequential(conv(inner, inner, groups=inner), nn.BatchNorm2d(inner), nn.Hardswish())
        self.squeeze, self.excite = conv(inner, 3, 1), conv(3, inner, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.depthwise(self.expand(x))
        scale = torch.sigmoid(self.excite(torch.relu(self.squeeze(y.mean((2, 3), keepdim=True)))))
        return x + self.project(y * scale)


def shuffled(x: Tensor, first: nn.Module, second: nn.Module) -> Tensor:
    y = first(x).view(len(x), 2, -1, *x.shape[2:]).transpose(1, 2).flatten(1, 2)
    kept, changed = y.chunk(2, 1)
    return torch.cat([kept, torch.relu(second(changed))], 1)


def dense(x: Tensor, first: nn.Module, second: nn.Module) -> Tensor:
    y = torch.cat([x, torch.relu(first(x))], 1)
    return torch.cat([y, torch.relu(second(y))], 1)


class ConvNeXtBlock(nn.Module):
    """Channels last, with a layer scale."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.depthwise, self.norm = conv(width, width, groups=width), nn.LayerNorm(width)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.gamma = nn.Parameter(torch.full((width,), 1e-1))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.depthwise(x).permute(0, 2, 3, 1))
        y = self.gamma * self.down(F.gelu(self.up(y)))
        return x + y.permute(0, 3, 1, 2)


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down, self.middle = conv(3, 4), conv(4, 6, stride=2)
        self.up, self.last = nn.ConvTranspose2d(6, 4, 2, stride=2), conv(8, 4)
        self.head = nn.Sequential(*head(4))

    def forward(self, x: Tensor) -> Tensor:
        skip = torch.relu(self.down(x))
        y = torch.cat([skip, self.up(torch.relu(self.middle(skip)))], 1)
        return self.head(torch.relu(self.last(y)))


class Elastic(nn.Module):
    """Convolutions that use a slice of their weights, as those of super-networks do."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, width, 3, padding=1), nn.Conv2d(width, width, 3, padding=1)
        self.head = nn.Linear(width, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(F.conv2d(x, self.first.weight[:6], self.first.bias[:6], padding=1))
        y = torch.relu(F.conv2d(y, self.second.weight[:6, :6], self.second.bias[:6], padding=1))
        return F.linear(y.mean((2, 3)), self.head.weight[:, :6], self.head.bias)


class Functional(nn.Module):
    """The same as `Elastic(6)`, with parameters of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes = ((6, 3, 3, 3), (6,), (6, 6, 3, 3), (6,), (3, 6), (3,))
        self.values = nn.ParameterList(nn.Parameter(torch.randn(shape) / 5) for shape in self.shapes)

    def forward(self, x: Tensor) -> Tensor:
        a, b, c, d, e, f = self.values
        y = torch.conv2d(x, a, b, padding=1).relu()
        y = F.conv2d(input=y, weight=c, bias=d, padding=1).relu_()
        return torch.addmm(f, y.mean((2, 3)), e.t())


class BatchNorm(nn.Module):
    """A batch normalisation of one's own."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        return F.batch_norm(x, self.mean, self.variance, self.weight, self.bias, self.training)


class NormAct(nn.BatchNorm2d):
    def forward(self, x: Tensor) -> Tensor:
        return F.silu(super().forward(x))


def with_norm(*norm) -> nn.Module:
    layers = [conv(3, 6), *(make() for make in norm), conv(6, 6), *(make() for make in norm)]
    return nn.Sequential(*layers, *head(6))


def normalised_by(norm) -> nn.Module:
    return nn.Sequential(conv(3, 6), norm, nn.ReLU(), conv(6, 6), nn.ReLU(), *head(6))


def tied() -> nn.Module:
    shared = conv(4, 4)
    return nn.Sequential(conv(3, 4), nn.ReLU(), shared, nn.ReLU(), shared, nn.ReLU(), *head(4))


def volumes() -> nn.Module:
    layers = [nn.Conv3d(2, 4, 3, padding=1), nn.BatchNorm3d(4), nn.ReLU(), nn.ConvTranspose3d(4, 4, 2, stride=2)]
    return nn.Sequential(*layers, nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(4, 3))


def series() -> nn.Module:
    layers = [nn.Conv1d(4, 6, 3, padding=2, dilation=2), nn.ReLU(), nn.ConvTranspose1d(6, 4, 3, groups=2), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(48, 3))


def zero_head() -> nn.Module:
    model = plain()
    nn.init.zeros_(model[-1].weight)
    return model


CASES = {
    "plain": Case(plain, IMAGES),
    "vgg": Case(vgg, IMAGES),
    "residual": Case(residual, IMAGES),
    "zero-initialised residual": Case(
        lambda: residual(zero=True), IMAGES, gates=("2.body.4.weight", "3.body.4.weight")
    ),
    "gates at zero": Case(
        lambda: nn.Sequential(conv(3, 6), Gated(6), Gated(6), *head(6)), IMAGES, gates=("1.gate", "2.gate")
    ),
    "zero classifier": Case(zero_head, IMAGES),
    "inverted residual": Case(lambda: nn.Sequential(conv(3, 4), InvertedResidual(4), *head(4)), IMAGES),
    "shuffled channels": Case(
        lambda: nn.Sequential(conv(3, 4), Lambda(shuffled, conv(4, 4, 1, groups=2), conv(2, 2)), *head(4)), IMAGES
    ),
    "dense": Case(lambda: nn.Sequential(conv(3, 4), Lambda(dense, conv(4, 2), conv(6, 2)), *head(8)), IMAGES),
    "convnext": Case(lambda: nn.Sequential(nn.Conv2d(3, 6, 2, stride=2), ConvNeXtBlock(6), *head(6)), IMAGES),
    "u-net": Case(UNet, IMAGES),
    "volumes": Case(volumes, (2, 4, 4, 4)),
    "series": Case(series, (4, 10)),
    "slices": Case(lambda: Elastic(6), IMAGES),
    "functional": Case(Functional, IMAGES),
    "shared layer": Case(tied, IMAGES, uses={"2.weight": 2}),
    "own batch norm": Case(lambda: with_norm(lambda: BatchNorm(6), nn.ReLU), IMAGES),
    "norm with activation": Case(lambda: with_norm(lambda: NormAct(6)), IMAGES),
    "instance norm": Case(lambda: normalised_by(nn.InstanceNorm2d(6, affine=True, track_running_stats=True)), IMAGES),
    "group norm": Case(lambda: normalised_by(nn.GroupNorm(2, 6)), IMAGES),
    "layer norm on maps": Case(
        lambda: normalised_by(nn.LayerNorm([6, 8, 8])), IMAGES, uses={"1.weight": 0, "1.bias": 0}
    ),
}


def pruned() -> nn.Module:
    model = plain()
    nn.utils.parametrize.register_parametrization(model[3], "weight", _Halved())
    return model


class _Halved(nn.Module):
    def forward(self, weight: Tensor) -> Tensor:
        return weight * (torch.arange(len(weight)) % 2 == 0).to(weight)[:, None, None, None]


def masked() -> nn.Module:
    model = plain()
    with torch.no_grad():
        model[3].weight[1::2] = 0.0
    return model


TWINS = {
    "module and functional": (
        lambda: nn.Sequential(conv(3, 6), nn.ReLU(), conv(6, 6), nn.ReLU(), *head(6)),
        Functional,
    ),
    "own batch norm": (
        lambda: with_norm(lambda: nn.BatchNorm2d(6), nn.ReLU),
        lambda: with_norm(lambda: BatchNorm(6), nn.ReLU),
    ),
    "norm with activation": (
        lambda: with_norm(lambda: nn.BatchNorm2d(6), nn.SiLU),
        lambda: with_norm(lambda: NormAct(6)),
    ),
    "slices and whole": (Functional, lambda: Elastic(6)),
    "pruned": (masked, pruned),
    "in place": (plain, lambda: _in_place(plain())),
}


def _in_place(model: nn.Module) -> nn.Module:
    for module in model.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = True
    return model
