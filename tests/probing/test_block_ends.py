"""Blocks that networks name: where they end, what is measured of them, and what bad names are told."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from zcproxy.benchmarks.nasbench201 import NASBench201Network
from zcproxy.benchmarks.nasbench201.encoding import to_text
from zcproxy.benchmarks.nats_sss.network import size_network
from zcproxy.benchmarks.transnas101.network import TransNASNetwork
from zcproxy.errors import ModelError
from zcproxy.formula import Node
from zcproxy.names.proxies import resolve_proxy
from zcproxy.primitives import parse
from zcproxy.probing.measure import Measurement, measure
from zcproxy.probing.structure import examine

MEAN, JACOBIAN = parse("mean(block@data)"), parse("frobenius_norm(block_jacobian@signs)")
IMAGES = torch.randn(3, 3, 8, 8, generator=torch.Generator().manual_seed(1))

PLAIN = to_text(["nor_conv_3x3", "skip_connect", "nor_conv_1x1", "skip_connect", "none", "nor_conv_3x3"])
CHAIN = to_text(["nor_conv_3x3", "none", "avg_pool_3x3", "none", "none", "nor_conv_1x1"])
POOLS = to_text(["avg_pool_3x3", "skip_connect", "none", "none", "avg_pool_3x3", "skip_connect"])
SKIP = to_text(["skip_connect", "none", "skip_connect", "none", "none", "skip_connect"])
DEAD = to_text(["nor_conv_3x3", "none", "none", "none", "none", "none"])


class Named(nn.Module):
    """A stem, parts one after the other, and a classifier; it names the ends of its blocks."""

    def __init__(self, *parts: nn.Module, ends: object) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.parts = nn.Sequential(*parts)
        self.head = nn.Linear(4, 3)
        self.block_ends = ends

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.parts(self.stem(inputs)).mean((2, 3)))


class Sum(nn.Module):
    """A convolution whose result is multiplied with a factor, beside the input itself if it is asked for."""

    def __init__(self, factor: float, *, beside: bool) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(4, 4, 3, padding=1)
        self.factor, self.beside = factor, beside

    def forward(self, inputs: Tensor) -> Tensor:
        self.made = self.factor * self.convolution(inputs)
        return inputs + 0.0 * self.made if self.beside else self.made


def measured(model: nn.Module, columns: Iterable[Node], inputs: Tensor = IMAGES) -> Measurement:
    return measure(model, inputs, torch.arange(len(inputs)), columns)


def outputs_of(modules: Iterable[nn.Module], inputs: Tensor) -> list[Tensor]:
    """What modules that are called one after the other yield."""
    found = [inputs]
    for module in modules:
        found.append(module(found[-1]))
    return found[1:]


# Where blocks end


@pytest.mark.parametrize("cell", [PLAIN, CHAIN, POOLS, SKIP])
def test_every_cell_of_a_benchmark_network_is_a_block(cell: str) -> None:
    model = NASBench201Network(cell, 5, channels=4, cells=2).train()
    ends = outputs_of([model.stem, *model.body], IMAGES)
    found = measured(model, [MEAN])
    assert len(found.blocks) == len(ends) == 9
    np.testing.assert_allclose(found.values[MEAN], [end.mean().item() for end in ends], rtol=1e-4, atol=1e-6)


def test_a_network_without_a_signal_has_no_block() -> None:
    found = measured(NASBench201Network(DEAD, 5, channels=4, cells=2), [MEAN])
    assert found.layers == 0 and found.blocks == () and found.values[MEAN].size == 0


@pytest.mark.parametrize(("module", "is_block"), [(Sum(1.0, beside=False), True), (Sum(0.0, beside=False), False)])
def test_what_no_signal_passes_ends_no_block(module: Sum, is_block: bool) -> None:
    class Parallel(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.other = module, nn.Conv2d(4, 4, 1)

        def forward(self, inputs: Tensor) -> Tensor:
            return self.one(inputs) + self.other(inputs)

    model = Named(Parallel(), nn.ReLU(), ends=("stem", "parts.0.one", "parts.0"))
    assert len(examine(model, IMAGES).ends) == 2 + is_block


def test_a_part_that_the_output_ignores_ends_no_block() -> None:
    class Ignoring(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.ignored = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1)

        def forward(self, inputs: Tensor) -> Tensor:
            return self.used(inputs) + 0.0 * self.ignored(inputs)

    structure = examine(Named(Ignoring(), ends=["stem", "parts.0.used", "parts.0.ignored", "parts.0"]), IMAGES)
    assert structure.blocks == (0, 1, -1) and structure.live == [True, True, False, True]


def test_a_layer_ends_the_first_block_behind_it() -> None:
    model = Named(nn.Identity(), nn.ReLU(), nn.Conv2d(4, 4, 1), ends=("stem", "parts.0", "parts.1", "parts.2"))
    found = measured(model, [MEAN, parse("mean(output@data)")])
    assert found.layers == 3 and found.blocks == (0, -1, -1, 1)
    stem, handed_on, rectified, last = found.values[MEAN]
    assert stem == handed_on < rectified
    np.testing.assert_array_equal(found.values[parse("mean(output@data)")][:2], [stem, last])


def test_a_block_may_come_before_every_layer() -> None:
    model = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(3, 4, 1), nn.Flatten(), nn.Linear(64, 3))
    model.block_ends = ("0", "1")  # type: ignore[assignment]  # torch types attributes of a module
    found = measured(model, [MEAN])
    assert found.blocks == (-1, 0)
    np.testing.assert_allclose(found.values[MEAN][0], IMAGES.mean(), rtol=1e-4)


def test_a_module_that_is_called_twice_ends_two_blocks() -> None:
    shared = nn.Conv2d(4, 4, 3, padding=1)
    model = Named(shared, nn.ReLU(), shared, ends=("parts.0",))
    assert examine(model, IMAGES).blocks == (1, 2)


def test_tensors_that_are_overwritten_are_recorded_as_they_were() -> None:
    model = Named(nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 1), ends=("parts.0", "parts.1")).train()
    before = model.parts[0](model.stem(IMAGES))
    expected = [before.mean().item(), before.clamp(min=0).mean().item()]
    np.testing.assert_allclose(measured(model, [MEAN]).values[MEAN], expected, rtol=1e-4, atol=1e-6)


def test_names_that_a_property_gives_count_as_well() -> None:
    class Computed(Named):
        @property
        def block_ends(self) -> list[str]:
            return ["stem", *(f"parts.{index}" for index in range(len(self.parts)))]

        @block_ends.setter
        def block_ends(self, ends: object) -> None:
            assert ends is None

    assert len(examine(Computed(nn.ReLU(), nn.Conv2d(4, 4, 1), ends=None), IMAGES).ends) == 3


def test_tokens_of_blocks_without_a_layer_have_their_samples_first() -> None:
    class Tokens(nn.Module):
        block_ends = ("first", "mixed", "last")

        def __init__(self) -> None:
            super().__init__()
            self.first, self.mixed, self.last = nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 4)

        def forward(self, inputs: Tensor) -> Tensor:
            tokens = self.first(inputs).transpose(0, 1)
            return self.last(self.mixed(tokens)).mean(0)

    column = parse("trace(sample_gram(block@data))")
    model, inputs = Tokens(), torch.randn(5, 7, 6)
    tokens = model.mixed(model.first(inputs))
    found = measure(model, inputs, torch.zeros(5, dtype=torch.int64), [column])
    np.testing.assert_allclose(found.values[column][1], tokens.square().sum().item(), rtol=1e-4)


def test_benchmark_networks_name_their_stem_and_their_blocks() -> None:
    sizes = size_network((4, 8, 8, 16, 16), 3, 5)
    assert len(examine(sizes, IMAGES).ends) == 6
    macro = TransNASNetwork(8, "1413", None, input_shape=(3, 32, 32), classes=5)
    assert len(examine(macro, torch.randn(2, 3, 32, 32)).ends) == 1 + 2 * 4
    tiles = TransNASNetwork(8, "1413", None, input_shape=(9, 3, 32, 32), classes=5)
    assert tiles.block_ends == ()  # those of one tile do not depend on those of another


# What depends on the block before


def test_a_block_that_hands_on_its_input_has_no_jacobian_but_zeros() -> None:
    model = Named(
        nn.Identity(), nn.Conv2d(4, 4, 1), Sum(1.0, beside=True), ends=("stem", *(f"parts.{i}" for i in range(3)))
    )
    first, handed_on, convolved, beside = measured(model, [JACOBIAN]).values[JACOBIAN]
    assert np.isnan(first) and handed_on == beside == 0.0 < convolved
    assert resolve_proxy("az_trainability")(model, IMAGES) < -6e5


def test_a_block_that_does_not_depend_on_the_one_before_has_no_jacobian() -> None:
    class Beside(nn.Module):
        block_ends = ("one", "other")

        def __init__(self) -> None:
            super().__init__()
            self.one, self.other, self.head = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 1), nn.Linear(4, 2)

        def forward(self, inputs: Tensor) -> Tensor:
            return self.head((self.one(inputs) + self.other(inputs)).mean((2, 3)))

    assert np.isnan(measured(Beside(), [JACOBIAN]).values[JACOBIAN]).all()


def test_gradients_by_blocks_are_those_of_autograd() -> None:
    column = parse("frobenius_norm(grad(block)@data)")
    model = NASBench201Network(POOLS, 5, channels=4, cells=2).train()
    ends = outputs_of([model.stem, *model.body], IMAGES)
    loss = nn.functional.cross_entropy(model.head(ends[-1]), torch.arange(3))
    expected = [gradient.norm().item() for gradient in torch.autograd.grad(loss, ends)]
    np.testing.assert_allclose(measured(model, [column]).values[column], expected, rtol=1e-4)


def test_named_blocks_of_a_chain_of_blocks_equal_those_that_are_found() -> None:
    parts = [Sum(1.0, beside=False), nn.ReLU(), Sum(2.0, beside=False), nn.ReLU()]
    model = Named(*parts, ends=())
    columns = [MEAN, JACOBIAN, parse("mean_abs(block@ones)")]
    found = measured(model, columns)
    model.block_ends = ("stem", "parts.0.convolution", "parts.2.convolution")
    named = measured(model, columns)
    assert found.blocks == named.blocks == (0, 1, 2)
    for column in columns:
        np.testing.assert_array_equal(named.values[column], found.values[column])


# Bad names


@pytest.mark.parametrize(
    ("ends", "message"),
    [
        ("stem", "block_ends of the model is a str, expected a tuple of paths"),
        (7, "block_ends of the model is a int, expected a tuple of paths"),
        ((1, 2), "block_ends of the model holds a int, expected paths of submodules"),
        (("",), "block_ends names '', which is not a submodule of the model"),
        (
            ("stem", "parts.9"),
            r"block_ends names 'parts.9', which is not a submodule of the model \(did you mean parts.1",
        ),
        (("x" * 5000,), r"block_ends names 'x+ \.\.\. x+', which is not a submodule"),
        (("head", "unused"), "block_ends names 'unused', which the forward pass does not call"),
        (("both",), "block_ends names 'both', whose output is a tuple, expected one tensor"),
        (("before",), "block_ends names 'before', whose output is the input of the model or one of several results"),
        (("part",), "block_ends names 'part', whose output is the input of the model or one of several results"),
    ],
)
def test_bad_names_are_told_in_one_line(ends: object, message: str) -> None:
    class Half(nn.Module):
        def forward(self, inputs: Tensor) -> Tensor:
            return inputs.chunk(2, dim=1)[0]

    class Both(nn.Module):
        def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
            return inputs, inputs

    class Model(Named):
        def __init__(self) -> None:
            super().__init__(nn.ReLU(), nn.ReLU(), ends=ends)
            self.unused, self.both, self.before, self.part = nn.ReLU(), Both(), nn.Identity(), Half()

        def forward(self, inputs: Tensor) -> Tensor:
            values = self.parts(self.stem(self.before(inputs)))
            return self.head(sum(self.both(torch.cat([self.part(values)] * 2, dim=1))).mean((2, 3)))

    with pytest.raises(ModelError, match=message) as caught:
        measured(Model(), [MEAN])
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


def test_the_model_keeps_no_hook() -> None:
    model = Named(nn.ReLU(), ends=("stem", "parts.0"))
    measured(model, [MEAN])
    examine(model, IMAGES)
    assert not any(module._forward_hooks for module in model.modules())


# What proxies see


def test_expressivity_of_pools_is_that_of_all_their_cells() -> None:
    model = NASBench201Network(POOLS, 5, channels=4, cells=2).train().double()
    inputs = IMAGES.double()
    proxy = resolve_proxy("nansum(mean_abs(block@data)) - nanleast_step(mean_abs(block@data))")
    sizes = [end.abs().mean().item() for end in outputs_of([model.stem, *model.body], inputs)]
    steps = [after - before for before, after in pairwise(sizes)]
    assert proxy(model, inputs, torch.arange(3)) == pytest.approx(sum(sizes) - min(steps), rel=1e-9)
