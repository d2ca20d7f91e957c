"""The scalars whose gradients a probe records."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from zcproxy.errors import ModelError
from zcproxy.sweep.layer_call import LayerCall
from zcproxy.sweep.probes import Pass
from zcproxy.sweep.recorder import reported

SAME_CLASS = "same_class"
"""The statistic of a cross-entropy that says which samples have the same class."""


def loss_of(run: Pass, output: Tensor, calls: Sequence[LayerCall], classes: Tensor | None) -> Tensor:
    """Return the loss of a pass.

    Args:
        run: the pass, which names the loss.
        output: what the model returned for it.
        calls: its layer calls.
        classes: samples, int64, see `classes_of`; None where the loss is the sum of the logits.

    Raises:
        ModelError: a backward pass raises.
    """
    if classes is None:
        return output.sum()
    loss = nn.functional.cross_entropy(output, classes)
    return _half_squared_gradient(loss, calls) if run.needs_second_order else loss


def classes_of(output: Tensor, targets: Tensor | None, samples: int, part: slice, seed: int) -> Tensor:
    """Return the classes for the cross-entropy of one part of a batch.

    Args:
        output: logits of the part.
        targets: of the whole batch; None draws random ones, for any part the same.
        samples: of the whole batch.
        part: which samples the part has.
        seed: of the random classes.

    Raises:
        ModelError: the logits or the targets do not fit a cross-entropy.
    """
    if output.dim() != 2:
        raise ModelError(f"the cross-entropy needs logits of samples x classes, the model's are {described(output)}")
    if targets is None:
        targets = torch.randint(output.shape[1], (samples,), generator=torch.Generator().manual_seed(seed))
    if targets.dtype != torch.int64 or targets.shape != (samples,):
        raise ModelError(f"targets are {described(targets)}, expected one torch.int64 class for each of {samples}")
    chosen = targets[part].to(output.device)
    if len(chosen) != len(output):
        raise ModelError(f"the model returns {len(output)} rows of logits for {len(chosen)} samples")
    if not 0 <= chosen.min() <= chosen.max() < output.shape[1]:
        raise ModelError(f"targets are not all among the {output.shape[1]} classes that the model has logits of")
    return chosen


def twice_differentiable() -> AbstractContextManager[None]:
    """Return a context in which attention has a second derivative: its fused kernels have only the first."""
    return sdpa_kernel(SDPBackend.MATH)


def same_class(classes: Tensor, like: Tensor) -> Tensor:
    """Return samples x samples, 1 where two have the same class and 0 elsewhere, with dtype and device of `like`."""
    return (classes[:, None] == classes).to(like)


def described(tensor: Tensor) -> str:
    """Return dtype and shape in words."""
    return f"{tensor.dtype} of shape {tuple(tensor.shape)}"


def _half_squared_gradient(loss: Tensor, calls: Sequence[LayerCall]) -> Tensor:
    """Return half the squared norm of the gradient by all weights; its own gradient is Hessian times gradient."""
    weights = list(dict.fromkeys(call.weight for call in calls))
    with reported("the backward pass of the model failed"):
        gradients = torch.autograd.grad(loss, weights, create_graph=True, allow_unused=True)
    squares = [gradient.square().sum() for gradient in gradients if gradient is not None]
    return 0.5 * torch.stack(squares).sum() if squares else torch.zeros_like(loss)
