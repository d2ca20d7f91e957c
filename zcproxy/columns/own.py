"""Columns that plugins add to the standard library: what a run begins with, so that it can use their words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from zcproxy.columns.standard import GRADIENT_COLUMNS, SIGNAL_COLUMNS
from zcproxy.formula import REGISTRY, Kind, Node
from zcproxy.formula.canonical import canonical
from zcproxy.primitives import parse
from zcproxy.probing.probes import OWN_INPUTS, PROBES
from zcproxy.user_code.plugins import loaded_plugins

STATISTICS = ("grad(weight)", "input", "output", "grad(output)")
"""The statistics of each probe that primitives of plugins are applied to, beside the weight."""


def own_primitives(module: str) -> list[str]:
    """Return the names of the primitives that a module has added."""
    return [
        name
        for name, item in REGISTRY.primitives.items()
        if any(function.__module__ == module for function in item.functions.values())
    ]


def own_probes(module: str) -> list[str]:
    """Return the names of the probes that a module has added."""
    return [
        name
        for name, probe in PROBES.items()
        if probe.run.inputs in OWN_INPUTS and OWN_INPUTS[probe.run.inputs].make.__module__ == module
    ]


def own_columns(probes: Iterable[str]) -> list[Node]:
    """Return the columns that the plugins add: their primitives on the statistics of `probes`, and their own probes.

    A primitive of matrices, spectra or several tensors has none: formulas to start from, and those that a run proposes
    on its way, apply it.
    """
    probes = list(probes)
    leaves = ["weight", *(f"{name}@{probe}" for probe in probes for name in STATISTICS)]
    modules = [plugin.module for plugin in loaded_plugins()]
    texts = [text for module in modules for name in own_primitives(module) for text in _applied(name, leaves)]
    for probe in (name for module in modules for name in own_probes(module) if name in probes):
        gradient = f"mean(grad(weight)@{probe})" if PROBES[probe].stacks_gradients else f"grad(weight)@{probe}"
        texts += [text.format(gradient=gradient) for text in GRADIENT_COLUMNS]
        if not PROBES[probe].stacks_gradients:
            texts += [text.format(probe=probe) for text in SIGNAL_COLUMNS]
    return list(dict.fromkeys(canonical(parse(text)) for text in texts))


def _applied(name: str, leaves: Iterable[str]) -> Iterator[str]:
    """Yield a primitive applied to each leaf of its kind, reduced to one number per layer."""
    for signature in REGISTRY.primitives[name].functions:
        if len(signature.arguments) != 1 or signature.arguments[0].is_number:
            continue
        whole = {Kind.LAYER: "{}", Kind.WEIGHTS: "mean_abs({})", Kind.ACTIVATIONS: "mean_abs({})"}.get(signature.result)
        if whole is not None:
            fitting = (leaf for leaf in leaves if REGISTRY.leaves.get(leaf) is signature.arguments[0])
            yield from (whole.format(f"{name}({leaf})") for leaf in fitting)
