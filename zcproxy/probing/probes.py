"""Probes: how an untrained network is stimulated. A new one is an entry in `PROBES`, not a new code path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

import torch
from torch import Tensor

from zcproxy.random import derive_seed

PERTURBATION_STD = 0.1
"""Standard deviation of the noise that `delta` adds to the images: sqrt(0.01), as in EZNAS."""

MIXTURE = 0.01
"""Share of a second noise that `mixed` adds to the first: as in Zen-NAS."""

SHARED_WEIGHTS = (1e-7, 1.0)
"""What all weights are under `shared_small` and `shared_large`: the first pair that the code of epsinas tries."""

SHAKE = 0.1
"""Standard deviation of the noise that `shaken` adds to a weight, in standard deviations of that weight."""

ROUNDED_BITS = 4
"""Bits of weights under `quantised`, where nothing else is noted on the layer: see `zcproxy.models.rounding.mark`."""


class Inputs(StrEnum):
    """What a pass shows the network."""

    IMAGES = "images"
    PERTURBED = "perturbed"
    NOISE = "noise"
    MIXED = "mixed"
    ONES = "ones"
    CIRCLE = "circle"


class Loss(StrEnum):
    """What a pass differentiates."""

    CROSS_ENTROPY = "cross_entropy"
    RANDOM_CLASSES = "random_classes"
    SUM_OF_LOGITS = "sum_of_logits"
    HALF_SQUARED_GRADIENT = "half_squared_gradient"
    RANDOM_SIGNS = "random_signs"
    PROBABILITIES = "probabilities"
    MOTION = "motion"


@dataclass(frozen=True)
class OwnInputs:
    """Inputs that a user's probe shows the network.

    Attributes:
        make: takes the minibatch, samples x ..., and a seeded generator; returns what the network is shown.
        reads_images: whether that depends on the pixels of the minibatch rather than on its shape.
    """

    make: Callable[[Tensor, torch.Generator], Tensor]
    reads_images: bool


OWN_INPUTS: dict[str, OwnInputs] = {}
"""Inputs of the probes that plugins add, by the text that stands for them in a pass: name and digest."""


@dataclass(frozen=True)
class Pass:
    """One forward and backward pass.

    Attributes:
        inputs: `images`, `perturbed` (images plus Gaussian noise), `noise` (standard Gaussian), `mixed` (the noise plus
            a hundredth of another one), `ones` (one sample), `circle` (one point of a circle, see `circle`), or one of
            `OWN_INPUTS`.
        loss: what is differentiated: `cross_entropy` against the targets, `random_classes` (the cross-entropy against
            classes that are drawn, whatever the targets), `sum_of_logits`, `half_squared_gradient` (of the
            cross-entropy's gradient by all weights of layers, whose own gradient is the Hessian times that gradient),
            `random_signs` (of each block by itself), `probabilities` (of the classes) or `motion` (of the logits, while
            the input goes around the circle).
        absolute_weights: replace every parameter by its absolute value.
        gaussian_weights: draw the weights of layers from N(0, 1); their biases are 0, normalisations have no effect of
            their own.
        normalised: whether normalisation layers act.
        running_statistics: whether normalisations use the statistics that they keep, as in evaluation mode, rather than
            those of the batch. Fresh batch normalisation is then the identity, up to its epsilon.
        double: compute in float64. Without normalisation, float32 overflows in deep networks; and where a unit is near
            zero, its rounding turns gradients off and on.
    """

    inputs: str
    loss: Loss
    absolute_weights: bool = False
    gaussian_weights: bool = False
    normalised: bool = True
    double: bool = False
    running_statistics: bool = False
    shared_weight: float | None = None
    shaken_weights: bool = False
    permuted_weights: bool = False
    rounded_weights: bool = False

    @property
    def reads_images(self) -> bool:
        """Whether the inputs depend on the pixels of the minibatch."""
        if self.inputs in OWN_INPUTS:
            return OWN_INPUTS[self.inputs].reads_images
        return self.inputs in (Inputs.IMAGES, Inputs.PERTURBED)

    @property
    def needs_second_order(self) -> bool:
        return self.loss in (Loss.HALF_SQUARED_GRADIENT, Loss.PROBABILITIES, Loss.MOTION)

    @property
    def scales_activations(self) -> bool:
        """Whether activations are of another scale than the network's own, which may be any."""
        return self.absolute_weights or self.gaussian_weights or self.shared_weight is not None or not self.normalised

    @property
    def compares_classes(self) -> bool:
        """Whether the loss needs targets."""
        return self.loss in (Loss.CROSS_ENTROPY, Loss.RANDOM_CLASSES, Loss.HALF_SQUARED_GRADIENT)

    @property
    def transform(self) -> tuple[object, ...]:
        """The key that distinguishes the networks that passes run on."""
        drawn = self.gaussian_weights, self.shaken_weights, self.permuted_weights, self.rounded_weights
        return *self.parameters, *drawn, self.normalised, self.running_statistics

    @property
    def parameters(self) -> tuple[object, ...]:
        """The key that distinguishes the parameters that passes run on; see `changes_parameters`."""
        return self.absolute_weights, self.shared_weight, self.double

    @property
    def changes_parameters(self) -> bool:
        return self.absolute_weights or self.shared_weight is not None or self.double


@dataclass(frozen=True)
class Probe:
    """A probe, under which the statistics of a formula are recorded.

    Attributes:
        name: how a formula writes it, after `@`.
        run: the pass.
        minus: a pass whose tensors are subtracted, or None.
        sub_batches: into how many parts the batch is split, each with a pass of its own.
        per_sample: whether there is a backward pass for the loss of each sample, after one forward pass of them all.
        meaning: one line for readers.
    """

    name: str
    run: Pass
    meaning: str
    minus: Pass | None = None
    sub_batches: int = 1
    per_sample: bool = False

    @property
    def passes(self) -> tuple[Pass, ...]:
        return (self.run,) if self.minus is None else (self.run, self.minus)

    @property
    def cost(self) -> float:
        """Passes over the whole batch that the probe needs; a single double-precision sample counts a quarter.

        Gradients per sample are counted for the usual eight samples.
        """
        return sum(map(_cost, self.passes)) * (8.0 if self.per_sample else 1.0)

    @property
    def stacks_gradients(self) -> bool:
        """Whether it records several gradients of each weight, of sub-batches or of samples."""
        return self.per_sample or self.sub_batches > 1

    @property
    def evaluates(self) -> bool:
        """Whether the network is in evaluation mode."""
        return any(item.running_statistics for item in self.passes)

    @property
    def runs_once(self) -> bool:
        """Whether its passes are over the whole batch, with one gradient each: other probes may share them."""
        return not self.stacks_gradients

    @property
    def has_the_weights(self) -> bool:
        """Whether its layers have the weights of the network, rather than others in their place or several of each."""
        run = self.run
        is_drawn = run.gaussian_weights or run.shaken_weights or run.permuted_weights
        is_changed = is_drawn or run.rounded_weights or run.changes_parameters
        return self.runs_once and self.minus is None and not is_changed

    @property
    def needs_images(self) -> bool:
        return any(item.reads_images for item in self.passes)


_COSTS: dict[str, float] = {
    Inputs.ONES: 0.25,
    Inputs.CIRCLE: 15.0,
    Loss.HALF_SQUARED_GRADIENT: 3.0,
    Loss.PROBABILITIES: 150.0,
}
"""Passes that one pass with these inputs or this loss counts as, where it is not one.

Class probabilities take a pass for each parameter through all later layers: the number is for about sixty layers, each
with a normalisation.
"""

_DOUBLE_COST = 3.0
"""Passes in float32 that one in float64 takes the time of, on a CPU."""


def _cost(run: Pass) -> float:
    known = _COSTS.get(run.inputs, _COSTS.get(run.loss, 1.0))
    return known * _DOUBLE_COST if run.double and run.inputs not in _COSTS else known


def _in_double(probe: Probe) -> Probe:
    return replace(
        probe,
        name=f"{probe.name}64",
        run=replace(probe.run, double=True),
        meaning=f"as {probe.name}, in double precision",
    )


def _in_single(probe: Probe) -> Probe:
    return replace(
        probe,
        name=f"{probe.name}32",
        run=replace(probe.run, double=False),
        meaning=f"as {probe.name}, in single precision",
    )


_DATA = Probe("data", Pass(Inputs.IMAGES, Loss.CROSS_ENTROPY), "a minibatch of images, cross-entropy loss")
_NOISE = Probe("noise", Pass(Inputs.NOISE, Loss.SUM_OF_LOGITS), "Gaussian noise, sum of the logits")
_CHUNKS = Probe(
    "chunks", Pass(Inputs.IMAGES, Loss.CROSS_ENTROPY), "gradients of two halves of the minibatch", sub_batches=2
)
_LOGITS = Pass(Inputs.IMAGES, Loss.SUM_OF_LOGITS)
_OF_LOGITS = Probe("logits", _LOGITS, "a minibatch of images, sum of the logits")
_JACOBIAN = Probe(
    "jacobian", replace(_LOGITS, double=True), "gradients of each sample's sum of logits", per_sample=True
)
_CURVATURE = Probe(
    "curvature",
    Pass(Inputs.IMAGES, Loss.HALF_SQUARED_GRADIENT, double=True),
    "half the squared norm of the cross-entropy's gradient: its own gradient is Hessian times gradient (GraSP)",
)
_REDRAWN = Pass(Inputs.NOISE, Loss.SUM_OF_LOGITS, gaussian_weights=True)
PROBES = {
    probe.name: probe
    for probe in (
        *(_DATA, _NOISE, _OF_LOGITS),
        Probe(
            "delta",
            Pass(Inputs.PERTURBED, Loss.SUM_OF_LOGITS),
            "perturbed minus clean images, sum of the logits",
            _LOGITS,
        ),
        Probe(
            "ones",
            Pass(Inputs.ONES, Loss.SUM_OF_LOGITS, absolute_weights=True, normalised=False, double=True),
            "all-ones input, absolute weights, no normalisation, sum of the logits (synflow)",
        ),
        Probe(
            "normalised_ones",
            Pass(Inputs.ONES, Loss.SUM_OF_LOGITS, absolute_weights=True, running_statistics=True, double=True),
            "as ones, with normalisations in evaluation mode: those of layers act, fresh ones of batches do not (DSS)",
        ),
        _CHUNKS,
        Probe(
            "samples",
            Pass(Inputs.IMAGES, Loss.CROSS_ENTROPY),
            "gradients of each sample's cross-entropy",
            per_sample=True,
        ),
        *(_JACOBIAN, _CURVATURE),
        Probe("redrawn", _REDRAWN, "Gaussian noise through weights drawn from N(0, 1), sum of the logits"),
        Probe(
            "redrawn_delta",
            Pass(Inputs.MIXED, Loss.SUM_OF_LOGITS, gaussian_weights=True),
            "Gaussian noise plus a hundredth of another one, minus the noise alone, weights from N(0, 1)",
            _REDRAWN,
        ),
        Probe(
            "signs",
            Pass(Inputs.NOISE, Loss.RANDOM_SIGNS),
            "Gaussian noise, random signs as the gradients of each block",
        ),
        Probe(
            "fisher",
            Pass(Inputs.NOISE, Loss.PROBABILITIES, running_statistics=True, double=True),
            "Gaussian noise in evaluation mode, class probabilities by one element of each parameter (VKDNW)",
        ),
        Probe(
            "evaluation",
            Pass(Inputs.IMAGES, Loss.SUM_OF_LOGITS, running_statistics=True),
            "a minibatch of images in evaluation mode, sum of the logits",
        ),
        Probe(
            "random_classes",
            Pass(Inputs.NOISE, Loss.RANDOM_CLASSES),
            "Gaussian noise, cross-entropy against random classes",
        ),
        *(
            Probe(
                name,
                Pass(Inputs.IMAGES, Loss.SUM_OF_LOGITS, double=True, shared_weight=value),
                f"a minibatch of images, all weights {value:g} and biases 0, sum of the logits",
            )
            for name, value in zip(("shared_small", "shared_large"), SHARED_WEIGHTS, strict=True)
        ),
        Probe(
            "circle",
            Pass(Inputs.CIRCLE, Loss.MOTION, double=True),
            "one point of a circle of inputs, velocity and acceleration of the logits on it",
        ),
        Probe(
            "shaken",
            Pass(Inputs.NOISE, Loss.SUM_OF_LOGITS, shaken_weights=True),
            "Gaussian noise through weights with a tenth of noise of their own, sum of the logits",
        ),
        Probe(
            "permuted",
            Pass(Inputs.NOISE, Loss.SUM_OF_LOGITS, permuted_weights=True),
            "Gaussian noise through weights whose elements are in another order, sum of the logits",
        ),
        Probe(
            "quantised",
            replace(_LOGITS, rounded_weights=True),
            "a minibatch of images through weights of few bits, minus the same through the weights, sum of the logits",
            _LOGITS,
        ),
        *map(_in_double, (_DATA, _NOISE, _OF_LOGITS, _CHUNKS)),
        *map(_in_single, (_JACOBIAN, _CURVATURE)),
        replace(_DATA, name="teacher", meaning="as data, through the teacher: its layer at the same relative depth"),
        replace(
            _NOISE, name="teacher_noise", meaning="as noise, through the teacher: its layer at the same relative depth"
        ),
    )
}

OF_TEACHER = {"teacher": "data", "teacher_noise": "noise"}
"""Probes of a second network, the teacher, each with the probe that it is measured under."""


def pass_inputs(run: Pass, images: Tensor, seed: int) -> Tensor:
    """Return the input of a pass for a minibatch: samples x ... (one sample for `ones`), on the images' device.

    Args:
        run: the pass.
        images: samples x ...; passes without images take only shape, dtype and device.
        seed: index of the Gaussian inputs.
    """
    if run.inputs == Inputs.IMAGES:
        return images
    if run.inputs == Inputs.ONES:
        return torch.ones_like(images[:1])
    if run.inputs == Inputs.CIRCLE:
        return circle(images, seed)[0]
    if run.inputs == Inputs.PERTURBED:
        return images + PERTURBATION_STD * _gaussian(images, "perturbed", seed)
    if run.inputs in OWN_INPUTS:
        return OWN_INPUTS[run.inputs].make(images, _seeded(run.inputs, seed))
    noise = _gaussian(images, "noise", seed)
    return noise if run.inputs == Inputs.NOISE else noise + MIXTURE * _gaussian(images, "mixed", seed)


def circle(images: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Return a point of a unit circle in the space of inputs and the velocity there, orthogonal to it: 1 x ... each.

    The plane is that of two Gaussian inputs. The acceleration is minus the point.
    """
    first, second = (_drawn(images[:1].shape, name, seed).double() for name in ("circle", "direction"))
    point = first / first.norm()
    rest = second - (second * point).sum() * point
    return point.to(images), (rest / rest.norm()).to(images)


def _gaussian(like: Tensor, name: str, seed: int) -> Tensor:
    return _drawn(like.shape, name, seed).to(like)


def _drawn(shape: torch.Size, name: str, seed: int) -> Tensor:
    """Return standard Gaussian numbers on the CPU."""
    return torch.randn(shape, generator=_seeded(name, seed), device="cpu", dtype=torch.float32)


def _seeded(name: str, seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(derive_seed("probe input", name, seed))
