"""Probes: how an untrained network is stimulated. A new one is an entry in `PROBES`, not a new code path."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

PERTURBATION_STD = 0.1
"""Standard deviation of the noise that `delta` adds to the images: sqrt(0.01), as in EZNAS."""


@dataclass(frozen=True)
class Pass:
    """One forward and backward pass.

    Attributes:
        inputs: `images`, `perturbed` (images plus Gaussian noise), `noise` (standard Gaussian) or `ones` (one sample).
        loss: `cross_entropy` against the targets or `sum_of_logits`.
        absolute_weights: replace every parameter by its absolute value.
        normalised: whether normalisation layers act, on the statistics of the batch.
        double: compute in float64; without normalisation, float32 overflows in deep networks.
    """

    inputs: str
    loss: str
    absolute_weights: bool = False
    normalised: bool = True
    double: bool = False

    @property
    def transforms_network(self) -> bool:
        return self.double or self.absolute_weights or not self.normalised


@dataclass(frozen=True)
class Probe:
    """What the statistics of a formula are recorded under.

    Attributes:
        name: how a formula writes it, after `@`.
        run: the pass.
        minus: a pass whose tensors are subtracted, or None.
        sub_batches: into how many parts the batch is split, each with a pass of its own.
        meaning: one line for people.
    """

    name: str
    run: Pass
    meaning: str
    minus: Pass | None = None
    sub_batches: int = 1

    @property
    def passes(self) -> tuple[Pass, ...]:
        return (self.run,) if self.minus is None else (self.run, self.minus)

    @property
    def cost(self) -> float:
        """Passes over the whole batch that the probe needs; a single double-precision sample counts a quarter."""
        return sum(0.25 if item.inputs == "ones" else 1.0 for item in self.passes)

    @property
    def needs_images(self) -> bool:
        return any(item.inputs in ("images", "perturbed") for item in self.passes)


_LOGITS = Pass("images", "sum_of_logits")
PROBES = {
    probe.name: probe
    for probe in (
        Probe("data", Pass("images", "cross_entropy"), "a minibatch of images, cross-entropy loss"),
        Probe("noise", Pass("noise", "sum_of_logits"), "Gaussian noise, sum of the logits"),
        Probe("logits", _LOGITS, "a minibatch of images, sum of the logits"),
        Probe("delta", Pass("perturbed", "sum_of_logits"), "perturbed minus clean images, sum of the logits", _LOGITS),
        Probe(
            "ones",
            Pass("ones", "sum_of_logits", absolute_weights=True, normalised=False, double=True),
            "all-ones input, absolute weights, no normalisation, sum of the logits (synflow)",
        ),
        Probe("chunks", Pass("images", "cross_entropy"), "gradients of two halves of the minibatch", sub_batches=2),
    )
}


def probe_of(leaf: str) -> str | None:
    """Return the name of the probe a leaf is recorded under: `grad(weight)@noise` -> `noise`; None for descriptors."""
    _, found, name = leaf.partition("@")
    return name if found else None


def pass_inputs(run: Pass, images: Tensor, seed: int) -> Tensor:
    """Return the input of a pass for a minibatch: samples x ... (one sample for `ones`), on the images' device."""
    if run.inputs == "images":
        return images
    if run.inputs == "ones":
        return torch.ones_like(images[:1])
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(images.shape, generator=generator).to(images)
    return noise if run.inputs == "noise" else images + PERTURBATION_STD * noise
