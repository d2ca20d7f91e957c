"""The networks of NDS, checked against the sizes and costs in the official files, every entry of them."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from nds_entries import made_entries
from torch import nn

from zcproxy.benchmarks.nds import FAMILIES, build_entry, space_of
from zcproxy.benchmarks.nds.costs import published_flops
from zcproxy.benchmarks.nds.entries import architecture_of
from zcproxy.errors import BenchmarkError
from zcproxy.testing import check_space

VARIANTS = {"ResNet": "_lr-wd", "Vanilla": "_lr-wd"}
Entries = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def official(real_data: Path) -> Entries:
    def read(family: str) -> list[dict[str, Any]]:
        with gzip.open(real_data / "nds" / f"{family}{VARIANTS.get(family, '')}_in.json.gz") as stream:
            return json.load(stream)

    return read


@pytest.mark.usefixtures("unfilled")
@pytest.mark.parametrize("family", FAMILIES)
def test_parameters_and_flops_are_the_published_ones(official: Entries, family: str) -> None:
    differing = []
    for number, entry in enumerate(official(family)):
        network = build_entry(family, entry, 224, 1000)
        params = sum(parameter.numel() for parameter in network.parameters())
        if (params, published_flops(network, 224)) != (entry["params"], entry["flops"]):
            differing.append(number)
    assert differing == []


def size_of(net: dict[str, Any]) -> int:
    """What the costs of a network rise with."""
    return net["width"] * net["depth"] if "genotype" in net else sum(map(int.__mul__, net["ds"], net["ws"]))


@pytest.mark.parametrize(("image_size", "classes"), [(32, 10), (64, 7), (224, 1000)])
@pytest.mark.parametrize("family", ["DARTS", "ENAS", "ResNeXt-A", "Vanilla"])
def test_networks_run_forwards_and_backwards(family: str, image_size: int, classes: int) -> None:
    entry = min(made_entries(family, 40), key=lambda entry: size_of(entry["net"]))
    network = build_entry(family, entry, image_size, classes)
    logits = network(torch.randn(2, 3, image_size, image_size))
    assert logits.shape == (2, classes)
    logits.sum().backward()
    gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    assert all(torch.isfinite(gradient).all() for gradient in gradients)


def test_the_small_stem_keeps_the_resolution_and_the_large_one_divides_it_by_eight() -> None:
    (entry,) = made_entries("DARTS", 1)
    for image_size, side in ((32, 32), (224, 28)):
        network = build_entry("DARTS", entry, image_size, 10)
        seen: list[torch.Size] = []
        network.get_submodule("cells.0").register_forward_hook(lambda *hooked: seen.append(hooked[2].shape))  # noqa: B023
        network(torch.randn(1, 3, image_size, image_size))
        assert seen[0][2:] == (side, side)


def test_none_passes_neither_a_value_nor_a_gradient() -> None:
    edges = ".".join(["none~0", "skip_connect~1"] * 4)
    network = space_of("DARTS").build(f"w4d3/{edges}/{edges}", (3, 32, 32), 10)
    network(torch.randn(2, 3, 32, 32)).sum().backward()
    cell = network.get_submodule("cells.0")
    gradients = {name: parameter.grad for name, parameter in cell.named_parameters()}
    assert all(gradient is None for name, gradient in gradients.items() if name.startswith("before."))
    assert all(gradient is not None for name, gradient in gradients.items() if name.startswith("previous."))


@pytest.mark.parametrize("family", FAMILIES)
def test_spaces_conform_and_hold_every_entry(official: Entries, family: str) -> None:
    space = space_of(family)
    texts = [architecture_of(family, entry) for entry in official(family)]
    assert len(set(texts)) == len(texts)
    assert all(space.parse(text) == text for text in texts)
    for text in texts[:3]:
        assert all(space.parse(other) == other for other in space.neighbours(text)[::25])


@pytest.mark.parametrize("family", FAMILIES)
def test_spaces_pass_the_kit(family: str) -> None:
    check_space(space_of(family), (3, 32, 32), classes=5, samples=1)


def test_the_order_of_the_two_edges_of_a_node_does_not_matter() -> None:
    space = space_of("DARTS")
    first, second = (".".join(pair * 4) for pair in (["none~0", "skip_connect~1"], ["skip_connect~1", "none~0"]))
    keys = {space.equivalence_class(f"w8d6/{normal}/{first}") for normal in (first, second)}
    assert len(keys) == 1


def test_counting_leaves_the_network_as_it_was() -> None:
    (entry,) = made_entries("Vanilla", 1)
    network = build_entry("Vanilla", entry, 64, 10)
    before = copy.deepcopy(network.state_dict())
    published_flops(network, 64)
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules() if isinstance(module, nn.Module))


@pytest.mark.parametrize(
    ("family", "change", "message"),
    [
        ("DART", {}, "unknown NDS family 'DART' .did you mean DARTS"),
        (
            "DARTS",
            {"width": None},
            "this is not a network of the NDS family DARTS: a NoneType stands for a whole number",
        ),
        ("DARTS", {"width": 3}, "3 channels are not even"),
        ("DARTS", {"genotype": {}}, "it has no 'normal'"),
        ("DARTS", {"normal": [["sep_conv_9x9", 0]] * 8}, "'sep_conv_9x9' is not one of none, skip_connect"),
        ("DARTS", {"normal": [["none", 0], ["none", 2]] * 4}, "edge 1, 'none~2', must come from a node before 2"),
        ("DARTS", {"normal": [["none", 0]]}, "a cell has 1 edges, expected 8"),
        ("DARTS", {"normal_concat": [5]}, "'normal_concat' is .5., in the family DARTS it is .2, 3, 4, 5."),
        ("ResNet", {"block_type": "block"}, "the block 'block' is not 'res_basic_block'"),
        ("ResNet", {"ws": [8]}, "this is not a network of the NDS family ResNet"),
        ("ResNet", {"ws": [16, 0, 16, 16, 16]}, "a number that makes no sense"),
        ("ResNeXt-A", {"num_gs": [1, 3, 1, 1]}, "3 groups do not divide"),
    ],
)
def test_bad_entries(family: str, change: dict[str, Any], message: str) -> None:
    (entry,) = made_entries(family if family in FAMILIES else "DARTS", 1)
    for name, value in change.items():
        place = entry["net"]["genotype"] if name.startswith("normal") else entry["net"]
        place[name] = value
    with pytest.raises(BenchmarkError, match=message) as caught:
        build_entry(family, entry, 32, 10)
    assert "\n" not in str(caught.value)
