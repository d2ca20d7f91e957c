"""Models whose output holds the logits, as those of Hugging Face, made to return them alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zcproxy.errors import ModelError
from zcproxy.probing.outputs import tensor_of
from zcproxy.probing.recorder import call_model, reported


@torch.no_grad()
def take_logits(model: nn.Module, inputs: Tensor, classes: int) -> None:
    """Make a model return its logits, in place, where it returns an object or a mapping that holds them.

    Args:
        model: on the CPU.
        inputs: a batch that it takes as its first argument.
        classes: number of logits that it has to give per sample.

    Raises:
        ModelError: it fails, or gives something else than samples x classes logits.
    """
    with reported(f"the model failed on input of shape {tuple(inputs.shape)}"):
        output: object = model(inputs)
    if not isinstance(output, Tensor):
        model.register_forward_hook(_hook)
    logits = call_model(model, inputs)
    if logits.shape != (len(inputs), classes):
        raise ModelError(f"the model returns logits of shape {tuple(logits.shape)}, expected {(len(inputs), classes)}")


def _hook(model: nn.Module, arguments: object, output: object) -> Tensor:
    return tensor_of(output)
