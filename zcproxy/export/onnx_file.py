"""Exports a network as an ONNX file, and checks that a runtime computes what the network computes."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from zcproxy.contracts.batch import noise_batch
from zcproxy.errors import ModelError
from zcproxy.extras import check_extra, extra
from zcproxy.probing.recorder import call_model, reported
from zcproxy.storage.files import replacing

TOLERANCE = 1e-4
"""Largest difference of a logit: absolute for small ones, relative for those above one."""

TRACED_SAMPLES, CHECKED_SAMPLES = 2, 3
"""Samples of the batch that is traced, and of the one that is checked: two sizes, since any size has to work."""

WHAT = "an ONNX file"


def check_onnx() -> None:
    """Raise `ConfigurationError` before any work if a package that exports or checks is not installed."""
    for module in ("onnx", "onnxscript", "onnxruntime"):
        check_extra("onnx", WHAT, module)


def export_onnx(network: nn.Module, input_shape: tuple[int, ...], path: Path) -> float:
    """Write a network as ONNX, in evaluation mode: `inputs` of any number of samples to `logits`.

    The weights lie in the file. Nothing is written unless onnxruntime gives the network's logits, within 1e-4, for a
    batch of Gaussian noise of another size than the one that was traced.

    Args:
        network: on the CPU.
        input_shape: shape of a sample, without the batch.
        path: path of the file.

    Returns:
        The largest absolute difference of a logit.

    Raises:
        ConfigurationError: a package of the extra `onnx` is not installed.
        ModelError: the network cannot be traced, has an operation that ONNX lacks, or the file computes something else.
        StorageError: the file cannot be written.
    """
    check_onnx()
    network = network.eval()
    traced = noise_batch(input_shape, 2, TRACED_SAMPLES).inputs
    checked = noise_batch(input_shape, 2, CHECKED_SAMPLES).inputs
    with torch.no_grad():
        expected = call_model(network, checked)
    with replacing(path) as temporary:
        with _quiet(), reported("the network cannot be exported as ONNX"):
            torch.onnx.export(
                network,
                (traced,),
                temporary,
                dynamo=True,
                external_data=False,
                verbose=False,
                input_names=["inputs"],
                output_names=["logits"],
                dynamic_shapes=({0: torch.export.Dim("samples")},),
            )
        with reported("the exported network cannot be run"):
            found = _run(temporary, checked)
        _check(found, expected)
    return float((found - expected).abs().max())


def _run(path: Path, inputs: Tensor) -> Tensor:
    """Return the logits that onnxruntime computes on the CPU."""
    with extra("onnx", WHAT):
        import onnxruntime
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(["logits"], {"inputs": inputs.numpy()})[0])


def _check(found: Tensor, expected: Tensor) -> None:
    if found.shape != expected.shape:
        raise ModelError(
            f"the ONNX file computes something else than the network: logits of shape {tuple(found.shape)}, not "
            f"{tuple(expected.shape)}"
        )
    if not torch.allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True):
        worst = float((found - expected).abs().nan_to_num(torch.inf).max())
        raise ModelError(
            f"the ONNX file computes something else than the network: a logit differs by {worst:.2g}, more than "
            f"{TOLERANCE:g}"
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what the exporter reports about itself: packages that it could also translate, arguments of torch."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
