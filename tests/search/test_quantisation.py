"""Bit widths as genes: their space, what they cost, and the quantised network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import ClassVar

import pytest
import torch
from torch import nn

from zcproxy.contracts.batch import Batch
from zcproxy.contracts.choice_space import Option
from zcproxy.errors import BenchmarkError, ConfigurationError, ModelError
from zcproxy.models.layer_costs import cost_by_layer
from zcproxy.models.rounding import Rounding, mark
from zcproxy.search import Quantisation, SearchConfiguration, Setting, SuperNetwork, resume, search
from zcproxy.search.encoding import Encoder
from zcproxy.search.quantising.bit_space import block_of
from zcproxy.search.quantising.build import calibrate, round_weights, store_rounded
from zcproxy.search.quantities.networks import NetworkMeasurer


class Tower(SuperNetwork):
    """Blocks of two linear layers; its accuracy is how well the outputs of the float network are kept, in percent."""

    name = "tower"
    choices: ClassVar = {"depth": (1, 2), "width": (3, 4)}
    input_shape = (5,)
    classes = 3

    def sub_network(self, choice: Mapping[str, Option]) -> nn.Module:
        depth, width = int(choice["depth"]), int(choice["width"])
        blocks = [nn.Sequential(nn.Linear(width, width, bias=False), nn.ReLU()) for _ in range(depth)]
        network = nn.Sequential()
        network.add_module("stem", nn.Linear(5, width))
        network.add_module("blocks", nn.Sequential(*blocks))
        network.add_module("head", nn.Linear(width, 3))
        return network

    def inherit(self, network: nn.Module, choice: Mapping[str, Option]) -> None:
        generator = torch.Generator().manual_seed(5)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator))

    def validate(self, network: nn.Module) -> float:
        choice: dict[str, Option] = {"depth": len(network.blocks), "width": int(network.head.in_features)}
        twin = self.sub_network(choice)
        twin.load_state_dict(network.state_dict())
        inputs = self.batch(64).inputs
        with torch.no_grad():
            return 100.0 - float((network(inputs) - twin(inputs)).norm() / twin(inputs).norm())


def measurer(tower: SuperNetwork | None = None, **chosen: object) -> NetworkMeasurer:
    return NetworkMeasurer(tower or Tower(), Setting("tower", quantisation=Quantisation(**chosen)))  # type: ignore[arg-type]


LARGE = "depth=2 width=4"

# The space


@pytest.mark.parametrize("per", ["layer", "block"])
def test_the_space_has_every_architecture_with_all_bit_widths(per: str) -> None:
    space = measurer(quantize=(4, 8), quantize_per=per).space
    listed = list(space.enumerate())
    assert space.size == 2 * 2**3 + 2 * 2**4 == len(set(listed))
    assert [space.parse(text) for text in listed] == listed
    assert {space.sample(Random(seed)) for seed in range(400)} == set(listed)
    assert all(set(space.neighbours(text)) < set(listed) - {text} for text in listed)


def test_a_text_says_which_layer_has_how_many_bits() -> None:
    space = measurer(quantize=(2, 4, 8))._bit_space
    text = f"{LARGE} / bits=8/2/4/8"
    assert space.layer_bits(text) == (LARGE, {"stem": 8, "blocks.0.0": 2, "blocks.1.0": 4, "head": 8})
    deeper = measurer(quantize=(2, 4, 8))._bit_space
    assert deeper.parse(f"{LARGE} / bits=8:2:4:8") == text


def test_a_new_layer_takes_the_bits_of_the_one_before_it_and_others_keep_theirs() -> None:
    space = measurer(quantize=(2, 4, 8)).space
    neighbours = space.neighbours("depth=1 width=4 / bits=8/2/4")
    assert "depth=2 width=4 / bits=8/2/2/4" in neighbours
    assert len(neighbours) == 2 + 3 * 2
    children = {
        space.crossover("depth=1 width=4 / bits=8/8/8", f"{LARGE} / bits=2/2/4/2", Random(seed)) for seed in range(40)
    }
    assert all(child.split("/")[3] == "4" for child in children if child.startswith(LARGE))
    assert {space.mutate(f"{LARGE} / bits=8/2/4/8", Random(seed)) for seed in range(200)} == set(
        space.neighbours(f"{LARGE} / bits=8/2/4/8")
    )


def test_a_block_is_what_repeats() -> None:
    named = {"stages.0.1.body.0": "stages.0.1", "layer1.0.conv1": "layer1.0", "head": "head", "0": "0", "a.b": "a.b"}
    assert {layer: block_of(layer) for layer in named} == named


def test_predictors_read_the_bits_of_a_module_at_one_place() -> None:
    encode = Encoder(["depth=1 width=4 / bits=8/2/4", "depth=1 width=4 / bits=8/2/8"])
    first, second = encode(["depth=1 width=4 / bits=8/2/4", "depth=1 width=4 / bits=8/2/8"])
    assert (first != second).any()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LARGE, "has no bit widths: write them behind it"),
        (f"{LARGE} / bits=8/8", "it has 2 bit widths for 4 layers"),
        (f"{LARGE} / bits=8/8/8/3", "'3' is none of the bit widths 4, 8"),
    ],
)
def test_what_is_not_of_the_space_is_refused(text: str, message: str) -> None:
    with pytest.raises(BenchmarkError, match=message):
        measurer(quantize=(4, 8)).space.parse(text)


# Costs


def test_size_and_operations_count_bits() -> None:
    found = measurer(quantize=(4, 8)).size("depth=1 width=4 / bits=8/4/8")
    weights, biases = 20 * 8 + 16 * 4 + 12 * 8, (4 + 3) * 32
    scales = (4 + 4 + 3) * 32
    assert found == {
        "model_size_mb": pytest.approx((weights + biases + scales) / 8e6),
        "bit_operations": 20 * 8 * 8 + 16 * 4 * 8 + 12 * 8 * 8,
    }
    asymmetric = measurer(quantize=(4, 8), symmetric_weights=False, activation_bits=4).size(
        "depth=1 width=4 / bits=8/4/8"
    )
    assert asymmetric["model_size_mb"] == pytest.approx(found["model_size_mb"] + (4 * 8 + 4 * 4 + 3 * 8) / 8e6)
    assert asymmetric["bit_operations"] == found["bit_operations"] / 2


def test_without_bit_widths_everything_has_32() -> None:
    plain = measurer()
    params, macs = plain.params_and_macs(LARGE).values()
    assert plain.size(LARGE) == {"model_size_mb": pytest.approx(4 * params / 1e6), "bit_operations": 32 * 32 * macs}


def test_a_shared_weight_and_attention_are_counted_once() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
            self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
            self.second.weight = self.first.weight

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            attended: torch.Tensor = self.attention(inputs, inputs, inputs, need_weights=False)[0]
            found: torch.Tensor = self.second(self.first(attended))
            return found

    cost = cost_by_layer(Tied(), (3, 4))
    assert [(layer.name, layer.weights) for layer in cost.layers] == [("first", 16)]
    assert cost.other_params == sum(parameter.numel() for parameter in Tied().parameters()) - 16
    assert cost.layers[0].macs == 3 * 16


# The quantised network


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_a_channel_has_as_many_levels_as_its_bits(bits: int, symmetric: bool) -> None:
    weight = torch.randn(3, 500, generator=torch.Generator().manual_seed(0)) + torch.tensor([[0.0], [2.0], [-1.0]])
    rounded = Rounding(bits, symmetric)(weight)
    lows, highs = weight.amin(1).clamp(max=0.0), weight.amax(1).clamp(min=0.0)
    steps = 2 * torch.maximum(highs, -lows) / (2**bits - 1) if symmetric else (highs - lows) / (2**bits - 1)
    for channel in range(3):
        assert len(rounded[channel].unique()) <= 2**bits
    assert ((rounded - weight).abs().amax(1) <= 1.001 * steps).all()
    assert torch.equal(Rounding(32)(weight), weight)


def test_rounded_weights_are_computed_with_and_gradients_reach_the_weights() -> None:
    layer = nn.Linear(4, 3)
    original = layer.weight.detach().clone()
    network = nn.Sequential(layer)
    mark(network, {"0": 2})
    round_weights(network)
    inputs = torch.randn(5, 4)
    outputs = network(inputs)
    assert torch.equal(outputs, nn.functional.linear(inputs, Rounding(2)(original), layer.bias))
    assert torch.equal(layer.weight, original) and isinstance(layer.weight, nn.Parameter)
    outputs.sum().backward()
    assert layer.weight.grad is not None and layer.weight.grad.abs().sum() > 0
    with pytest.raises(RuntimeError):
        network(torch.randn(5, 7))
    assert torch.equal(layer.weight, original)  # also after a call that fails
    store_rounded(network)
    assert torch.equal(layer.weight, Rounding(2)(original)) and not layer._forward_pre_hooks


def test_inputs_are_rounded_within_the_range_of_the_calibration_batch() -> None:
    network = nn.Sequential(nn.Identity(), nn.Linear(1, 1, bias=False))
    with torch.no_grad():
        network[1].weight.fill_(1.0)
    mark(network, {"1": 16})
    calibrate(network, torch.tensor([[0.0], [3.0]]), 2)
    found = network(torch.tensor([[0.4], [1.2], [9.0], [-2.0]])).detach()
    assert found.flatten().tolist() == pytest.approx([0.0, 1.0, 3.0, 0.0])


def test_fewer_bits_lose_more_accuracy() -> None:
    tower = measurer(quantize=(2, 4, 8, 32), activation_bits=32)
    accuracies = [tower.validated(f"{LARGE} / bits={bits}/{bits}/{bits}/{bits}")["accuracy"] for bits in (2, 4, 8, 32)]
    assert accuracies == sorted(accuracies) and accuracies[0] < 99.9 and accuracies[-1] == 100.0
    rounded_inputs = measurer(quantize=(8, 32), activation_bits=3).validated(f"{LARGE} / bits=8/8/8/8")
    assert rounded_inputs["accuracy"] < accuracies[2]


def test_a_proxy_sees_what_rounding_changes() -> None:
    tower = Tower()
    setting = Setting("tower", formula="sum(frobenius_norm(output@quantised))", quantisation=Quantisation((2, 8, 32)))
    scored = NetworkMeasurer(tower, setting)
    few, many, all_bits = (scored.score(f"{LARGE} / bits={bits}/{bits}/{bits}/{bits}")["proxy"] for bits in (2, 8, 32))
    assert few > 10 * many > 0.0 and all_bits == 0.0


# Searches and bad input


def configuration(**changes: object) -> SearchConfiguration:
    setting = Setting("tower", quantisation=Quantisation((2, 4, 8)))
    return SearchConfiguration(
        setting,
        ("accuracy",),
        ("model_size_mb",),
        **{"evaluations": 24, "population": 8, **changes},  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("algorithm", ["nsga2", "linas"])
def test_a_search_finds_small_networks_and_goes_on(tmp_path: Path, algorithm: str) -> None:
    chosen = configuration(algorithm=algorithm, inner_evaluations=50)
    found = search(chosen, tmp_path / "run", subject=Tower())
    again = search(chosen, tmp_path / "again", subject=Tower())
    assert list(found.table["arch"]) == list(again.table["arch"]) and len(found.front) > 1
    assert found.front["model_size_mb"].is_monotonic_decreasing
    journal = (tmp_path / "run" / "journal.jsonl").read_text()
    (tmp_path / "run" / "journal.jsonl").write_text("".join(line + "\n" for line in journal.splitlines()[:9]))
    assert search(chosen, tmp_path / "run", subject=Tower()).table["arch"].tolist() == found.table["arch"].tolist()


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"quantize": (4, 1)}, "quantize=1: torch's fake quantisation computes with 2 to 16 bits"),
        ({"quantize": (4,), "activation_bits": 20}, "activation_bits=20: torch's"),
        ({"quantize": (4, 4)}, "names 4 twice"),
        ({"quantize": (4,), "quantize_per": "channel"}, "unknown `quantize_per` 'channel'"),
        ({"activation_bits": 4}, "`activation_bits` is of quantised networks: give `quantize`"),
    ],
)
def test_settings_that_mean_nothing_are_refused(chosen: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Quantisation(**chosen)  # type: ignore[arg-type]


def test_a_calibration_batch_of_another_shape_is_refused() -> None:
    class Wrong(Tower):
        def batch(self, size: int) -> Batch:
            return Batch(torch.zeros(size, 3, 8, 8), torch.zeros(size, dtype=torch.int64))

    with pytest.raises(ModelError, match="the calibration batch of tower is 256x3x8x8, expected samples x 5: correct"):
        measurer(Wrong(), quantize=(4, 8)).validated(f"{LARGE} / bits=8/8/8/8")
    network = nn.Sequential(nn.Linear(5, 2))
    mark(network, {"0": 4})
    with pytest.raises(ModelError, match="the calibration batch, 7x4, does not pass the network"):
        calibrate(network, torch.zeros(7, 4), 8)


@pytest.mark.parametrize("quantity", ["latency_ms", "accuracy"])
def test_what_is_known_of_float_networks_alone_is_refused(tmp_path: Path, quantity: str) -> None:
    setting = Setting("digits201", quantisation=Quantisation((4, 8)))
    goals = {"maximized": ("accuracy",)} if quantity == "accuracy" else {"maximized": (), "minimized": (quantity,)}
    with pytest.raises(ConfigurationError, match=f"'{quantity}' of digits201 is of networks that are not quantised"):
        search(SearchConfiguration(setting, **goals, evaluations=4, population=4), tmp_path / "run")  # type: ignore[arg-type]


def test_a_stored_search_has_its_bit_widths(tmp_path: Path) -> None:
    setting = Setting("digits201", quantisation=Quantisation((4, 8), quantize_per="block"))
    chosen = SearchConfiguration(setting, (), ("model_size_mb",), evaluations=6, population=4)
    found = search(chosen, tmp_path / "run")
    assert resume(tmp_path / "run", evaluations=8).table["arch"].tolist()[:6] == found.table["arch"].tolist()
