"""Exported networks compute what the original computes, with torch alone."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
import torch
from torch import Tensor, nn

from zcproxy.errors import ModelError
from zcproxy.export.network_source import _construction, export_network
from zcproxy.names.spaces import get_space

LOAD = """
import sys, torch
sys.path.insert(0, sys.argv[1])
from found import Network
network = Network()
network.load_state_dict(torch.load(sys.argv[1] + "/found.pt", weights_only=True))
torch.save(network.eval()(torch.load(sys.argv[1] + "/inputs.pt")), sys.argv[1] + "/outputs.pt")
assert not any(name.startswith("zcproxy") for name in sys.modules)
"""


@pytest.mark.parametrize(
    "space", ["nasbench201", "nats_sss", "nds_darts", "nds_resnext-a", "transnas101_micro", "ofa_mobilenetv3"]
)
def test_the_file_computes_what_the_network_computes(space: str, tmp_path: Path) -> None:
    known = get_space(space)
    architecture = known.sample(Random(1))
    network = known.build(architecture, (3, 32, 32), 10)
    export_network(network, (3, 32, 32), architecture, tmp_path / "found.py")
    inputs = torch.randn(2, 3, 32, 32)
    torch.save(inputs, tmp_path / "inputs.pt")
    subprocess.run([sys.executable, "-c", LOAD, str(tmp_path)], check=True)
    # Another process may sum in another order.
    torch.testing.assert_close(torch.load(tmp_path / "outputs.pt"), network.eval()(inputs), rtol=1e-3, atol=1e-5)


class Deciding(nn.Module):
    def forward(self, inputs: Tensor) -> Tensor:
        return inputs if inputs.sum() > 0 else -inputs


class Bare(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs * self.scale


@pytest.mark.parametrize(
    ("network", "message"), [(Deciding(), "it decides by what it computes"), (Bare(), "'scale' belongs to no module")]
)
def test_what_cannot_be_written_down_is_refused(network: nn.Module, message: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=message):
        export_network(network, (3,), "x", tmp_path / "found.py")
    assert not list(tmp_path.iterdir())


LAYERS = {
    "nn.Conv2d(in_channels=3, out_channels=4, kernel_size=(3, 3))": nn.Conv2d(3, 4, 3),
    "nn.Conv2d(in_channels=4, out_channels=4, kernel_size=(3, 1), stride=(2, 2), groups=4, bias=False)": nn.Conv2d(
        4, 4, (3, 1), stride=2, groups=4, bias=False
    ),
    "nn.Conv2d(in_channels=3, out_channels=4, kernel_size=(3, 3), padding='same')": nn.Conv2d(3, 4, 3, padding="same"),
    "nn.Conv2d(in_channels=3, out_channels=4, kernel_size=(3, 3), padding=(1, 0))": nn.Conv2d(3, 4, 3, padding=(1, 0)),
    "nn.ConvTranspose2d(in_channels=3, out_channels=4, kernel_size=(2, 2))": nn.ConvTranspose2d(3, 4, 2),
    "nn.BatchNorm2d(num_features=4)": nn.BatchNorm2d(4),
    "nn.BatchNorm2d(num_features=4, momentum=None, affine=False)": nn.BatchNorm2d(4, momentum=None, affine=False),
    "nn.LayerNorm(normalized_shape=(4,), elementwise_affine=False)": nn.LayerNorm(4, elementwise_affine=False),
    "nn.MaxPool2d(kernel_size=3, stride=2)": nn.MaxPool2d(3, stride=2),
    "nn.Linear(in_features=3, out_features=4)": nn.Linear(3, 4),
    "nn.Dropout(p=0.1)": nn.Dropout(0.1),
    "nn.Dropout()": nn.Dropout(0.5),
    "nn.ReLU(inplace=True)": nn.ReLU(inplace=True),
}


@pytest.mark.parametrize("text", LAYERS)
def test_an_argument_that_has_its_default_is_not_written(text: str) -> None:
    layer = LAYERS[text]
    assert _construction("layer", layer) == text
    written: nn.Module = getattr(nn, text[3:].partition("(")[0])(**ast_arguments(text))
    assert repr(written) == repr(layer)
    assert written.load_state_dict(layer.state_dict()) == ([], [])


def ast_arguments(text: str) -> dict[str, object]:
    """Return the arguments of a call by name."""
    call = ast.parse(text, mode="eval").body
    assert isinstance(call, ast.Call) and not call.args
    return {str(each.arg): ast.literal_eval(each.value) for each in call.keywords}


ENCODER = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), 2)


@pytest.mark.parametrize("layer", [nn.GRU(3, 4), ENCODER], ids=["GRU", "TransformerEncoder"])
def test_a_layer_whose_arguments_are_not_known_is_refused(layer: nn.Module, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=rf"torch does not say what .*, a {type(layer).__name__}, is made of"):
        export_network(nn.Sequential(layer), (2, 3), "x", tmp_path / "found.py")
