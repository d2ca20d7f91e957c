"""Super-networks: slices of shared weights, and the elastic one on digits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from torch import nn

from zcproxy.benchmarks.datasets import load_dataset
from zcproxy.benchmarks.elastic_digits import ElasticDigits
from zcproxy.benchmarks.elastic_digits.sharing import train_shared
from zcproxy.contracts.super_network import SuperNetwork
from zcproxy.errors import ConfigurationError, ModelError
from zcproxy.names.subjects import get_subject
from zcproxy.reading.weights import read_weights, save_weights
from zcproxy.search import inherit_slices, slices_of
from zcproxy.testing import check_space


def test_slices_are_the_first_channels_and_the_centre_of_the_kernel() -> None:
    large, small = nn.Conv2d(4, 6, 5), nn.Conv2d(2, 3, 3)
    found = slices_of(dict(large.named_parameters()), small)
    assert torch.equal(found["weight"], large.weight[:3, :2, 1:4, 1:4])
    assert torch.equal(found["bias"], large.bias[:3])
    found["weight"].sum().backward()
    assert large.weight.grad is not None
    assert float(large.weight.grad.sum()) == small.weight.numel()


def test_weights_that_do_not_fit_are_named() -> None:
    with pytest.raises(ModelError, match="'weight' is 8x2x3x3 in a sub-network, the super-network has 6x4x3x3"):
        inherit_slices(dict(nn.Conv2d(4, 6, 3).named_parameters()), nn.Conv2d(2, 8, 3))
    with pytest.raises(ModelError, match="'bias' is 3 in a sub-network, the super-network has nothing of this name"):
        inherit_slices(dict(nn.Conv2d(4, 6, 3, bias=False).named_parameters()), nn.Conv2d(2, 3, 3))


def test_a_super_network_without_weights_or_accuracies_says_so() -> None:
    class Bare(SuperNetwork):
        name = "bare"
        choices: ClassVar = {"width": (1, 2)}
        input_shape, classes = (1, 4, 4), 2

    actions = (
        lambda: Bare().inherit(nn.Identity(), {}),
        lambda: Bare().validate(nn.Identity()),
        lambda: Bare().load(Path("weights.pt")),
    )
    for action in actions:
        with pytest.raises(ConfigurationError, match="the super-network bare"):
            action()


def test_the_elastic_network_is_a_space_of_its_own() -> None:
    check_space(ElasticDigits(), input_shape=(1, 12, 12), classes=10)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of the elastic network after two epochs."""
    path = tmp_path_factory.mktemp("weights") / "weights.pt"
    save_weights(path, train_shared(ElasticDigits(), load_dataset("digits"), epochs=2))
    return path


def accuracy(super_network: ElasticDigits, architecture: str) -> float:
    network = super_network.build(architecture)
    super_network.inherit(network, super_network.decode(architecture))
    return super_network.validate(network)


def test_all_sub_networks_learn_at_once(trained: Path) -> None:
    elastic = ElasticDigits()
    elastic.load(trained)
    small = elastic.encode({name: options[0] for name, options in elastic.choices.items()})
    large = elastic.encode({name: options[-1] for name, options in elastic.choices.items()})
    assert accuracy(elastic, large) > accuracy(elastic, small) > 15.0, "one in ten would be right by chance"
    assert accuracy(elastic, large) > 40.0


def test_the_largest_sub_network_inherits_all_weights(trained: Path) -> None:
    elastic = ElasticDigits()
    elastic.load(trained)
    large = elastic.encode({name: options[-1] for name, options in elastic.choices.items()})
    network = elastic.build(large)
    elastic.inherit(network, elastic.decode(large))
    for name, parameter in network.named_parameters():
        assert torch.equal(parameter, elastic.weights[name])


def test_weights_of_another_super_network_are_refused(trained: Path, tmp_path: Path) -> None:
    weights = read_weights(trained)
    first = next(iter(weights))
    save_weights(tmp_path / "narrow.pt", {**weights, first: weights[first][:8]})
    with pytest.raises(ModelError, match=f"the shared weights do not fit: '{first}' is 16x1x5x5 in a sub-network"):
        ElasticDigits().load(tmp_path / "narrow.pt")
    subject = get_subject("elastic_digits", shared_weights=trained)
    assert isinstance(subject, ElasticDigits) and torch.equal(subject.weights[first], weights[first])
    with pytest.raises(ConfigurationError, match="digits201 is not a super-network: leave out `shared_weights`"):
        get_subject("digits201", shared_weights=trained)


def test_training_is_reproducible() -> None:
    digits = load_dataset("digits")
    few = replace(digits, train_inputs=digits.train_inputs[:200], train_targets=digits.train_targets[:200])
    again, once_more = (train_shared(ElasticDigits(), few, epochs=1) for _ in range(2))
    assert all(torch.equal(again[name], once_more[name]) for name in again)


def test_files_that_hold_no_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.pt").write_text("no weights")
    torch.save([1, 2], tmp_path / "list.pt")
    torch.save(tmp_path, tmp_path / "object.pt")
    for name, message in (
        ("missing", "cannot be read"),
        ("text", "is truncated or not weights"),
        ("list", "holds something else than weights by name"),
        ("object", "is refused: it names pathlib"),
    ):
        with pytest.raises(ModelError, match=f"{name}.pt.*{message}"):
            read_weights(tmp_path / f"{name}.pt")
