"""Exported networks compute what the original computes, with torch alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
import torch
from torch import Tensor, nn

from zcproxy.errors import ModelError
from zcproxy.export.network_source import export_network
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
