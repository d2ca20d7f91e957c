"""ONNX files compute what the network computes, whatever the batch; what differs or cannot be written is refused."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from random import Random

import pytest
import torch
from torch import Tensor, nn

from zcproxy.errors import ConfigurationError, ModelError
from zcproxy.export.onnx_file import export_onnx
from zcproxy.names.spaces import get_space

needs_onnx = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("onnx", "onnxscript", "onnxruntime")),
    reason="the extra onnx is not installed: pip install 'zcproxy[onnx]'",
)


def vision_transformer() -> nn.Module:
    space = get_space("digits_vit")
    return space.build(space.sample(Random(1)), (1, 12, 12), 10)


def convolutions() -> nn.Module:
    layers = [nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1)]
    network = nn.Sequential(*layers, nn.Dropout(), nn.Flatten(), nn.Linear(4, 10))
    network(torch.randn(8, 1, 12, 12))  # moments that differ from those of the initialisation
    return network


@needs_onnx
@pytest.mark.parametrize("make", [vision_transformer, convolutions])
def test_a_runtime_computes_what_the_network_computes(make: type[nn.Module], tmp_path: Path) -> None:
    import onnxruntime

    network = make()
    difference = export_onnx(network, (1, 12, 12), tmp_path / "found.onnx")
    inputs = torch.randn(7, 1, 12, 12)
    session = onnxruntime.InferenceSession(tmp_path / "found.onnx", providers=["CPUExecutionProvider"])
    (logits,) = session.run(["logits"], {"inputs": inputs.numpy()})
    torch.testing.assert_close(torch.from_numpy(logits), network.eval()(inputs), rtol=1e-4, atol=1e-4)
    assert difference <= 1e-4
    assert [path.name for path in tmp_path.iterdir()] == ["found.onnx"]


class Deciding(nn.Module):
    def forward(self, inputs: Tensor) -> Tensor:
        return inputs if inputs.sum() > 0 else -inputs


class Noisy(nn.Module):
    def forward(self, inputs: Tensor) -> Tensor:
        return inputs + torch.randn_like(inputs)


@needs_onnx
@pytest.mark.parametrize(
    ("network", "message"),
    [
        (Deciding(), "^the network cannot be exported as ONNX: "),
        (Noisy(), "^the ONNX file computes something else than the network: a logit differs by .*, more than 0.0001$"),
    ],
)
def test_a_network_that_a_file_cannot_stand_for_is_refused(network: nn.Module, message: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=message):
        export_onnx(network, (3,), tmp_path / "found.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("missing", ["onnx", "onnxscript", "onnxruntime"])
def test_a_missing_package_is_named(missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("onnx", "onnxscript", "onnxruntime"):
        monkeypatch.setitem(sys.modules, name, None if name == missing else sys.modules[__name__])
    with pytest.raises(ConfigurationError, match=rf"^an ONNX file needs the package {missing}, .*'zcproxy\[onnx\]'$"):
        export_onnx(nn.Linear(3, 2), (3,), tmp_path / "found.onnx")
    assert not list(tmp_path.iterdir())
