"""The scalars whose gradients a probe records."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from zcproxy.errors import ModelError
from zcproxy.probing.layer_call import LayerCall
from zcproxy.probing.own_loss import OwnLoss
from zcproxy.probing.probes import Pass
from zcproxy.probing.recorder import reported

SAME_CLASS = "same_class"
"""The statistic of a cross-entropy that says which samples have the same class."""


def loss_of(run: Pass, output: Tensor, calls: Sequence[LayerCall], classes: Tensor | OwnLoss | None) -> Tensor:
    """Return the loss of a pass.

    Args:
        run: the pass, which names the loss.
        output: what the model returned for it.
        calls: its layer calls.
        classes: samples, int64, see `classes_of`, or a loss of the user; None where it is the sum of the logits.

    Raises:
        ModelError: a backward pass raises, or the sum of the logits is the same whatever the network computes.
    """
    if classes is None:
        _check_sum(output)
        return output.sum()
    loss = classes(output) if isinstance(classes, OwnLoss) else nn.functional.cross_entropy(output, classes)
    return _half_squared_gradient(loss, calls) if run.needs_second_order else loss


def classes_of(output: Tensor, targets: Tensor | None, samples: int, part: slice, seed: int) -> Tensor:
    """Return the classes for the cross-entropy of one part of a batch.

    Args:
        output: logits of the part.
        targets: targets of the whole batch; None draws random ones, for any part the same.
        samples: samples of the whole batch.
        part: which samples the part has.
        seed: seed of the random classes.

    Raises:
        ModelError: the logits or the targets do not fit a cross-entropy.
    """
    check_logits(output, "the cross-entropy needs")
    if targets is None:
        targets = torch.randint(
            output.shape[1], (samples,), generator=torch.Generator().manual_seed(seed), device="cpu"
        )
    if targets.dtype != torch.int64 or targets.shape != (samples,):
        raise ModelError(
            f"targets are {described(targets)}, expected one torch.int64 class for each of {samples} samples"
            f"{_advice(targets, samples)}"
        )
    chosen = targets[part].to(output.device)
    if len(chosen) != len(output):
        raise ModelError(f"the model returns {len(output)} rows of logits for {len(chosen)} samples")
    if not 0 <= chosen.min() <= chosen.max() < output.shape[1]:
        raise ModelError(f"targets are not all among the {output.shape[1]} classes that the model has logits of")
    return chosen


def check_logits(output: Tensor, what: str) -> None:
    """Raise `ModelError` unless the output has a row of two or more logits for each sample.

    Args:
        output: what the model returned.
        what: the quantity that is computed from it, with its verb.
    """
    if output.dim() != 2:
        raise ModelError(
            f"{what} logits of samples x classes, the model's are {described(output)}: take the mean over "
            f"positions, or {_WITHOUT_LOSS}"
        )
    if output.shape[1] < 2:
        count = "one logit" if output.shape[1] else "no logits"
        raise ModelError(f"{what} two or more classes, the model has {count}: {_WITHOUT_LOSS}")


_WITHOUT_LOSS = "use a proxy without a cross-entropy, such as synflow, naswot or zen"


def _advice(targets: Tensor, samples: int) -> str:
    """Return what to do about targets that are not classes."""
    if targets.dim() == 2 and len(targets) == samples:
        return ": for one-hot rows give targets.argmax(1); for several labels or numbers per sample " + _WITHOUT_LOSS
    return f": for numbers instead of classes {_WITHOUT_LOSS}" if targets.is_floating_point() else ""


def _check_sum(output: Tensor) -> None:
    """Raise `ModelError` where the outputs of each sample add up to the same number: the gradients are rounding errors.

    A softmax does that, and a normalisation of each token.
    """
    found = output.detach()
    rows = [found.flatten(1), found.flatten(0, -2)] if found.dim() > 1 else []
    is_softmax = output.grad_fn is not None and output.grad_fn.name() == "SoftmaxBackward0"
    if is_softmax or any(map(_add_up_to_the_same, rows)):
        raise ModelError(
            "the model's outputs add up to the same number for every sample, so that their sum has no gradient: give a "
            "model that ends in logits, without a softmax or a normalisation behind them"
        )


def _add_up_to_the_same(rows: Tensor) -> bool:
    """Whether the sums of rows differ by no more than rounding, though the rows differ."""
    sums, spread = rows.sum(dim=-1), rows.std(dim=0, correction=0).square().sum().sqrt()
    return bool(spread > 0 and (sums - sums[0]).abs().max() < SAME_SUM * spread)


SAME_SUM = 1e-6
"""Sums that differ by less than this share of the outputs' spread are the same number."""


def differentiable(run: Pass) -> AbstractContextManager[None]:
    """Return a context in which attention has the derivatives that a pass takes.

    Fused kernels have no second derivative. For the first they compute the weights of attention once more, as the
    exponential of a score minus the logarithm of a sum, which is wrong where scores are so large that rounding changes
    that difference: by weights that are not the network's own, or without normalisations.
    """
    needs_products = run.needs_second_order or run.scales_activations
    return sdpa_kernel(SDPBackend.MATH) if needs_products else nullcontext()


def same_class(classes: Tensor, like: Tensor) -> Tensor:
    """Return samples x samples, 1 where two have the same class and 0 elsewhere, with dtype and device of `like`."""
    return (classes[:, None] == classes).to(like)


def described(tensor: Tensor) -> str:
    """Return dtype and shape in words."""
    return f"{tensor.dtype} of shape {tuple(tensor.shape)}"


def _half_squared_gradient(loss: Tensor, calls: Sequence[LayerCall]) -> Tensor:
    """Return half the squared norm of the gradient by all weights; its own gradient is Hessian times gradient."""
    weights = list(dict.fromkeys(call.weight for call in calls if call.weight.requires_grad))
    if not loss.requires_grad or not weights:
        return torch.zeros_like(loss)
    with reported("the backward pass of the model failed"):
        gradients = torch.autograd.grad(loss, weights, create_graph=True, allow_unused=True)
    squares = [gradient.square().sum() for gradient in gradients if gradient is not None]
    return 0.5 * torch.stack(squares).sum() if squares else torch.zeros_like(loss)
