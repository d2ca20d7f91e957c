"""Calls of a proxy that cannot work: each is one line that says what to do."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from zcproxy import load_proxy
from zcproxy.errors import ModelError, ModelWarning
from zcproxy.names.proxies import resolve_proxy

IMAGES = torch.randn(8, 3, 4, 4, generator=torch.Generator().manual_seed(0))
WITH_A_LOSS = ("snip", "grad_norm", "grasp", "fisher", "gradsign", "zico", "epe_nas", "vkdnw_entropy")


def network(outputs: int = 4, *tail: nn.Module) -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = [nn.Conv2d(3, 5, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, outputs)]
        return nn.Sequential(*layers, *tail)


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(ModelError) as raised:
        call()
    message = str(raised.value)
    assert message.isprintable() and len(message) < 500
    return message


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda x: (x, x), "inputs are a tuple, expected one tensor of samples x ...: wrap the model"),
        (lambda x: [x], "inputs are a list, expected one tensor"),
        (lambda x: {"x": x}, "inputs are a dict, expected one tensor"),
        (lambda x: x.numpy(), "inputs are a ndarray, expected one tensor of samples x ...: make one with"),
        (lambda x: None, "inputs are None, expected one tensor"),
        (lambda x: "images", "inputs are a str, expected one tensor"),
        (lambda x: 3.0, "inputs are a float, expected one tensor"),
        (lambda x: x.to_sparse(), "inputs are a sparse coo tensor, expected a dense one"),
        (lambda x: x.to("meta"), "inputs are on the meta device"),
        (lambda x: x.to(torch.complex64), "inputs are torch.complex64, expected floating-point numbers"),
    ],
)
def test_inputs_that_are_not_one_dense_tensor(make: Callable[[Tensor], Any], message: str) -> None:
    for name in ("zc-general", "params"):
        assert message in refused(lambda name=name: resolve_proxy(name)(network(), make(IMAGES)))


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
def test_nested_inputs() -> None:
    nested = torch.nested.nested_tensor([torch.zeros(3, 4, 4), torch.zeros(3, 5, 4)])
    assert "a nested tensor" in refused(lambda: load_proxy("zc-general")(network(), nested))


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ([0, 1, 2, 3, 0, 1, 2, 3], "targets are a list, expected a tensor of int64 classes"),
        (np.zeros(8, np.int64), "targets are a ndarray"),
        (3, "targets are an int"),
        (torch.rand(8), "for numbers instead of classes use a proxy without a cross-entropy, such as synflow"),
        (torch.eye(4)[[0, 1, 2, 3, 0, 1, 2, 3]], "for one-hot rows give targets.argmax(1)"),
        (torch.zeros(8, dtype=torch.bool), "targets are torch.bool of shape (8,), expected one torch.int64 class"),
        (torch.zeros(8, dtype=torch.int32), "targets are torch.int32"),
        (torch.zeros(8, 4, 4, dtype=torch.int64), "targets are torch.int64 of shape (8, 4, 4)"),
        (torch.zeros(8, dtype=torch.int64).to_sparse(), "targets are not a dense tensor"),
    ],
)
def test_targets_that_are_no_classes(targets: Any, message: str) -> None:
    assert message in refused(lambda: resolve_proxy("snip")(network(), IMAGES, targets))


@pytest.mark.parametrize("model", [None, "resnet18", len, nn.Linear, lambda x: x])
def test_what_is_no_module(model: Any) -> None:
    assert "expected a torch.nn.Module" in refused(lambda: load_proxy("zc-general")(model, IMAGES))


@pytest.mark.parametrize("name", WITH_A_LOSS)
def test_one_logit_has_no_cross_entropy(name: str) -> None:
    proxy = resolve_proxy(name)
    message = refused(lambda: proxy(network(1), IMAGES))
    assert (
        "two or more classes, the model has one logit: use a proxy without a cross-entropy, such as synflow" in message
    )


@pytest.mark.parametrize("name", ["synflow", "naswot", "zen"])
def test_the_proxies_that_are_named_instead_work_with_one_logit_and_with_maps(name: str) -> None:
    narrow, wide = (resolve_proxy(name)(network(1, nn.Identity())[:width], IMAGES) for width in (6, 1))
    assert np.isfinite(narrow) and np.isfinite(wide)
    assert resolve_proxy(name)(network(1), IMAGES) != 0


def test_logits_of_positions_have_no_cross_entropy() -> None:
    message = refused(lambda: resolve_proxy("snip")(nn.Conv2d(3, 4, 3), IMAGES))
    assert "logits of samples x classes, the model's are torch.float32 of shape (8, 4, 2, 2): take the mean" in message


def test_layers_and_logits_of_no_size() -> None:
    for outputs in (0, 4):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's, that initialising nothing does nothing
            layers = nn.Conv2d(3, 0, 3), nn.Flatten(), nn.Linear(0, outputs)
        message = refused(lambda layers=layers: load_proxy("zc-general")(nn.Sequential(*layers), IMAGES))
        assert "parameter 0.weight of shape (0, 3, 3, 3) holds no numbers" in message
    for name in ("snip", "naswot", "params"):
        message = refused(lambda name=name: resolve_proxy(name)(nn.Sequential(network(), Cut()), IMAGES))
        assert "the model returns a tensor of shape (2, 0), which holds no logits" in message


class Cut(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x[:, :0]


@pytest.mark.parametrize("name", ["grad_norm", "zc-general", "synflow", "zen"])
def test_outputs_that_add_up_to_one(name: str) -> None:
    """Gradients of the sum of a softmax are rounding errors; proxies without them take the model."""
    proxy = resolve_proxy(name)
    model, same = network(4, nn.Softmax(1)), network(4, nn.Softmax(-1), nn.Identity())
    if name in ("grad_norm", "zen"):
        assert proxy(model, IMAGES) == proxy(same, IMAGES)
    else:
        assert "add up to the same number" in refused(lambda: proxy(model, IMAGES))


@pytest.mark.parametrize("name", ["dss", "zc-general"])
def test_tokens_that_add_up_to_the_same(name: str) -> None:
    """Hidden states behind a normalisation, also those of the single sample that a proxy shows."""
    torch.manual_seed(1)
    layers = nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 5), Places()
    tokens, proxy = torch.randn(3, 7, 4), resolve_proxy(name)
    model, normalised = nn.Sequential(*layers), nn.Sequential(*layers, nn.LayerNorm(5))
    assert np.isfinite(proxy(model, tokens))
    assert "a normalisation behind them" in refused(lambda: proxy(normalised, tokens))


class Places(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + 5.0 * torch.arange(35.0).square().sin().view(7, 5)


def test_complex_parameters_are_named() -> None:
    model = network()
    model.spectrum = nn.Parameter(torch.ones(3, dtype=torch.cfloat))
    for name in ("snip", "meco", "synflow", "zc-general"):
        message = refused(lambda name=name: resolve_proxy(name)(model, IMAGES))
        assert message.startswith("parameter spectrum is torch.complex64")


def test_their_two_parts_are_real_parameters() -> None:
    class Fourier(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc, self.weight = nn.Linear(48, 4), nn.Parameter(torch.ones(3, 4, 3, 2))

        def forward(self, x: Tensor) -> Tensor:
            filtered = torch.fft.rfft2(x) * torch.view_as_complex(self.weight)
            return self.fc(torch.fft.irfft2(filtered, s=(4, 4)).flatten(1))

    with pytest.warns(ModelWarning, match="27.3% of the parameters"):  # a filter in Fourier space is not a layer
        assert np.isfinite(resolve_proxy("synflow")(Fourier(), IMAGES))


def test_a_matrix_that_is_too_large_names_the_primitive() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(48, 10_001), nn.ReLU(), nn.Linear(10_001, 4))
    message = refused(lambda: resolve_proxy("mean(largest_eigenvalue(filter_gram(weight)))")(model, IMAGES))
    assert message.startswith("'filter_gram' cannot be computed: a matrix of 10001 x 10001")
    assert np.isfinite(resolve_proxy("snip")(model, IMAGES))


def test_a_model_elsewhere_than_its_inputs() -> None:
    model = copy.deepcopy(network()).to("meta")
    assert "is on the meta device" in refused(lambda: load_proxy("zc-general")(model, IMAGES))


def test_a_minibatch_without_two_samples_of_a_class_is_said() -> None:
    with pytest.warns(ModelWarning, match="^no two of the 4 samples have the same class"):
        assert np.isnan(resolve_proxy("epe_nas")(network(), IMAGES[:4], torch.arange(4)))
    assert np.isfinite(resolve_proxy("epe_nas")(network(), IMAGES, torch.arange(8) % 4))
