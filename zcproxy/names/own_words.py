"""The decorators of plugins: a function of the user becomes a primitive, or a probe, of the language."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor

from zcproxy.errors import ConfigurationError, ModelError, check_known
from zcproxy.formula import REGISTRY, Kind, Signature, primitive as registered, signatures
from zcproxy.formula.choices import CONSTANTS
from zcproxy.names.guards import guarded, unwritten
from zcproxy.primitives.statistics import add_statistics
from zcproxy.probing.probes import OWN_INPUTS, PROBES, Loss, OwnInputs, Pass, Probe
from zcproxy.text.visible import shortened
from zcproxy.user_code.plugins import Plugin, noted_plugin

Function = TypeVar("Function", bound=Callable[..., Any])
Shown = TypeVar("Shown", bound=Callable[[Tensor, torch.Generator], Tensor])

KINDS = {kind.value: kind for kind in Kind if kind is not Kind.RANKING}
"""The kinds as users write them."""

LOSSES = (Loss.SUM_OF_LOGITS, Loss.CROSS_ENTROPY, Loss.RANDOM_CLASSES)
"""What a user's probe may differentiate."""

RESERVED = ("grad", CONSTANTS, "gradients", "zoo")
"""Words with a meaning of their own in formulas and options."""

_EXAMPLE = '@zcproxy.primitive("Weights -> Layer")'


def primitive(
    *accepted: str,
    name: str = "",
    formula: str = "",
    domain: str = "everywhere",
    reference: str = "",
    commutative: bool = False,
) -> Callable[[Function], Function]:
    """Add a function of your own to the language as a primitive: a decorator, used in the file of a plugin.

    The function is tried on ordinary values, zeros, negatives and single elements when it is registered. It gets
    tensors with the shapes of `zcproxy.formula.Kind`, and returns a tensor of the same dtype (a `float` will do for
    `Layer`); or, where all kinds are numbers, numpy arrays of float64: all layers of all networks for
    `Layer -> Layer`, the layers of one network for `Layer -> Network`, which yields one number.

    Args:
        accepted: what it takes and yields: `Weights -> Layer`, `Weights | Activations -> Layer`,
            `Weights, Weights -> Layer`.
        name: how formulas write it; the function's own name by default.
        formula: one-line mathematical definition; the first line of the docstring by default.
        domain: where it is defined. Outside it must yield NaN, never an invented constant.
        reference: where it comes from.
        commutative: whether the order of arguments does not matter.

    Raises:
        ConfigurationError: the name or a kind is not one, the name exists, or the function writes into its argument,
            changes dtype, is not deterministic, raises, or yields the wrong shape.

    Example:
        In `mine.py`, which `--plugin mine.py` and `zcproxy.load_plugin("mine.py")` load::

            import zcproxy

            @zcproxy.primitive("Weights | Activations -> Layer", reference="a textbook")
            def largest(values):
                '''The largest absolute value.'''
                return values.abs().max()
    """
    if not accepted or not all(isinstance(text, str) for text in accepted):
        raise ConfigurationError(f"a primitive says what it takes and yields: write {_EXAMPLE}")

    def register(function: Function) -> Function:
        plugin, word = noted_plugin(function.__module__), name or function.__name__
        title = f"primitive '{shortened(word, 80)}' of {plugin.name}"
        kinds = [signature for text in accepted for signature in _signatures(text, title)]
        _check_name(word, title, plugin)
        meaning = formula or _first_line(function) or word
        for signature in kinds:
            decorate = registered(
                signature, name=word, formula=meaning, domain=domain, reference=reference, commutative=commutative
            )
            try:
                decorate(guarded(function, title, signature))
            except ValueError as error:
                reason = str(error).removeprefix(f"primitive {word} ")
                raise ConfigurationError(f"{title}: {reason}") from error
        return function

    return register


def _signatures(text: str, title: str) -> list[Signature]:
    """Return what a text such as `Weights | Activations, Weights -> Layer` accepts. Raises `ConfigurationError`."""
    sides = text.split("->")
    if len(sides) != 2:
        raise ConfigurationError(f"{title}: cannot read '{shortened(text, 80)}': write for example Weights -> Layer")
    arguments = [[_kind(part, title) for part in each.split("|")] for each in sides[0].strip(" ()").split(",")]
    found = signatures(arguments, _kind(sides[1], title))
    for signature in found:
        if not _is_evaluated(signature):
            raise ConfigurationError(
                f"{title}: formulas have no place for {signature}: tensors of a layer yield such tensors or Layer, "
                "NetworkMatrix yields itself or Network, and numbers yield numbers of the same kind or Network"
            )
    return found


def _kind(text: str, title: str) -> Kind:
    check_known(f"kind of {title}", text.strip(" ()"), KINDS)
    return KINDS[text.strip(" ()")]


def _is_evaluated(signature: Signature) -> bool:
    """Whether the evaluators have a place for such a function."""
    kinds, result = set(signature.arguments), signature.result
    if all(kind.is_number for kind in kinds):
        return result is Kind.NETWORK or (result in kinds and kinds <= {result, Kind.NETWORK})
    if any(kind.is_number for kind in kinds):
        return False
    if kinds == {Kind.NETWORK_MATRIX}:
        return result.is_network_level
    return Kind.NETWORK_MATRIX not in kinds and not result.is_network_level and result is not Kind.STAGE


def probe(
    *,
    loss: str = Loss.SUM_OF_LOGITS,
    reads_images: bool = True,
    name: str = "",
    absolute_weights: bool = False,
    gaussian_weights: bool = False,
    normalised: bool = True,
    running_statistics: bool = False,
    double: bool = False,
    sub_batches: int = 1,
) -> Callable[[Shown], Shown]:
    """Add a probe of your own: a decorator for the function that makes what the network is shown.

    The function takes the minibatch, samples x ..., and a seeded `torch.Generator`, and returns a tensor of samples x
    the same shape: `mirrored` is then a probe, and `frobenius_norm(grad(weight)@mirrored)` an expression. The first
    line of its docstring says what it shows.

    Args:
        loss: what is differentiated: `sum_of_logits`, `cross_entropy` against the classes, or `random_classes`.
        reads_images: whether the pixels of the minibatch count, and not its shape alone.
        name: how formulas write it, after `@`; the function's own name by default.
        absolute_weights: replace every parameter by its absolute value.
        gaussian_weights: draw the weights of layers from N(0, 1).
        normalised: whether normalisation layers act.
        running_statistics: whether normalisations are in evaluation mode.
        double: compute in float64.
        sub_batches: into how many parts the minibatch is split, each with a pass and gradients of its own.

    Raises:
        ConfigurationError: the name or the loss is not one, the name exists, or there is no sub-batch.

    Example:
        In `mine.py`, as for `zcproxy.primitive`::

            import zcproxy

            @zcproxy.probe(loss="cross_entropy")
            def mirrored(inputs, generator):
                return inputs.flip(-1)
    """

    def register(function: Shown) -> Shown:
        plugin, word = noted_plugin(function.__module__), name or function.__name__
        title = f"probe '{shortened(word, 80)}' of {plugin.name}"
        _check_name(word, title, plugin)
        check_known(f"loss of {title}", loss, LOSSES)
        if sub_batches < 1:
            raise ConfigurationError(f"{title}: sub_batches={sub_batches}: give 1 or more")
        inputs = f"own {word} {plugin.digest}"
        run = Pass(
            inputs,
            Loss(loss),
            absolute_weights=absolute_weights,
            gaussian_weights=gaussian_weights,
            normalised=normalised,
            running_statistics=running_statistics,
            double=double,
        )
        made = Probe(word, run, _first_line(function) or f"what {word} makes of the minibatch", sub_batches=sub_batches)
        OWN_INPUTS[inputs] = OwnInputs(_shown(function, title), reads_images)
        PROBES[word] = made
        add_statistics(made)
        return function

    return register


def _shown(function: Shown, title: str) -> Callable[[Tensor, torch.Generator], Tensor]:
    """Return the function with checks of what it raises, writes and returns."""

    def make(images: Tensor, generator: torch.Generator) -> Tensor:
        found = unwritten(function, title, images, generator)
        if not isinstance(found, Tensor) or not found.is_floating_point():
            raise ModelError(f"{title} returns no tensor of floats")
        if found.dim() != images.dim() or found.shape[1:] != images.shape[1:] or not len(found):
            raise ModelError(
                f"{title} returns shape {tuple(found.shape)} for a minibatch of shape {tuple(images.shape)}: keep all "
                "but the number of samples"
            )
        return found.detach().to(images).clone()

    make.__module__ = function.__module__
    return make


def _check_name(word: str, title: str, plugin: Plugin) -> None:
    """Refuse a name that formulas cannot write, or that something else has already."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", word) or word in RESERVED:
        raise ConfigurationError(f"{title}: formulas cannot write this name: give it another one with name='...'")
    known = REGISTRY.primitives.get(word)
    owners = set() if known is None else {function.__module__ for function in known.functions.values()}
    if (owners - {plugin.module}) or word in REGISTRY.leaves or word in PROBES:
        raise ConfigurationError(f"{title}: the name exists already: give it another one with name='...'")


def _first_line(function: Callable[..., Any]) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0].rstrip(".")
