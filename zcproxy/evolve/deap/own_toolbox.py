"""Toolboxes of users: found by reference, checked for their entries, and each result checked as it comes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeAlias

from deap import base, gp

from zcproxy.errors import ConfigurationError, FormulaError
from zcproxy.evolve.deap.individual import Individual, ParetoFitness
from zcproxy.evolve.deap.operators import size_of
from zcproxy.evolve.deap.primitives import PrimitiveSet, check_tree
from zcproxy.evolve.deap.toolbox import ENTRIES
from zcproxy.formula.text import has_readable_text
from zcproxy.text.visible import shortened
from zcproxy.user_code.border import running
from zcproxy.user_code.references import check_reference, load_object, reference_at

OwnToolbox: TypeAlias = str | Callable[..., Any] | base.Toolbox
"""What a user may give: a reference, or what stands there."""


def reference_of(toolbox: OwnToolbox) -> str:
    """Return the reference of what `evolve(..., toolbox=...)` was given, by which worker processes find it.

    Args:
        toolbox: `package.module:name`; a function at the top of a module; or a toolbox that is one's attribute.

    Raises:
        ConfigurationError: no module has it under a name.
    """
    if isinstance(toolbox, str):
        check_reference(toolbox)
        return toolbox
    module, name = getattr(toolbox, "__module__", ""), getattr(toolbox, "__qualname__", "")
    if isinstance(toolbox, base.Toolbox):
        module, name = _place_of(toolbox)
    return reference_at(module, name, toolbox, f"toolbox={shortened(repr(toolbox), 80)}")


def _place_of(toolbox: base.Toolbox) -> tuple[str, str]:
    for module in list(sys.modules.values()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if value is toolbox:
                return module.__name__, name
    return "", ""


def own_toolbox(reference: str, toolbox: base.Toolbox, primitives: PrimitiveSet) -> base.Toolbox:
    """Return the toolbox that a user's code makes of ours, or puts in its place.

    Args:
        reference: of a function that takes toolbox and primitive set and changes entries, or returns another toolbox;
            or of a whole toolbox.
        toolbox: ours.
        primitives: of the run.

    Raises:
        ConfigurationError: the reference leads nowhere or is not allowed; an entry is missing. Later, whenever an entry
            of the user's raises, or returns what the loop cannot take.
    """
    found = load_object(reference)
    before = {name: getattr(toolbox, name) for name in ENTRIES}
    if not isinstance(found, base.Toolbox):
        if not callable(found):
            raise ConfigurationError(
                f"toolbox {reference} is a {type(found).__name__}, not a function or a deap.base.Toolbox"
            )
        with running(f"toolbox {reference} failed", ConfigurationError):
            made = found(toolbox, primitives)
        found = toolbox if made is None else made
        if not isinstance(found, base.Toolbox):
            raise ConfigurationError(f"toolbox {reference} returned a {type(found).__name__}, not a deap.base.Toolbox")
    for name in ENTRIES:
        if not callable(getattr(found, name, None)):
            raise ConfigurationError(
                f"toolbox {reference} lacks the entry '{name}': register it, or begin with the toolbox that a function "
                "toolbox(toolbox, primitives) is given"
            )
    if found is not toolbox:
        kept, found = found, base.Toolbox()
        vars(found).update(vars(kept))
    checks = _Checks(reference, primitives)
    for name in ENTRIES:
        entry = getattr(found, name)
        if entry is not before[name]:
            setattr(found, name, partial(checks.call, name, entry))
    return found


class _Checks:
    """Calls entries of a user's toolbox and checks what they return."""

    def __init__(self, reference: str, primitives: PrimitiveSet) -> None:
        self._reference = reference
        self._primitives = primitives
        self._of: dict[str, Callable[..., Any]] = {
            "expr": self._expression,
            "individual": self._individual,
            "clone": lambda result, source: self._individual(result),
            "population": lambda result, n: [self._individual(item) for item in self._several(result, n)],
            "mate": lambda result, *parents: [self._child(item) for item in self._several(result, 2)],
            "mutate": lambda result, parent: [self._child(item) for item in self._several(result, 1)],
            "select": self._chosen,
            "survive": lambda result, individuals, k: self._chosen(result, individuals, min(k, len(individuals))),
            "evaluate": lambda result, individual: self._objectives(result),
        }

    def call(self, name: str, entry: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Return what an entry returns. Raises `ConfigurationError` that names it for what the loop cannot take."""
        title = f"'{name}' of toolbox {self._reference}"
        for item in arguments:
            if isinstance(item, Individual):
                item.forget()
        with running(f"{title} failed", ConfigurationError):
            result = entry(*arguments, **named)
        try:
            return self._of[name](result, *arguments, **named)
        except (FormulaError, _WrongResultError) as error:
            raise ConfigurationError(f"{title} returned {error}") from error

    def _expression(self, result: Any, pset: Any = None, type_: Any = None) -> list[Any]:
        items = list(self._several(result, None))
        check_tree(items, self._primitives, type_.kind if type_ else None)
        return items

    def _individual(self, result: Any) -> Individual:
        if not isinstance(result, gp.PrimitiveTree):
            raise _WrongResultError(f"a {type(result).__name__}, not a tree")
        tree = result if isinstance(result, Individual) else Individual(result)
        tree.forget()
        check_tree(tree, self._primitives)
        return tree

    def _child(self, result: Any) -> Individual:
        child = self._individual(result)
        size, most = size_of(child), self._primitives.maximum_size
        if size > most:
            raise _WrongResultError(
                f"a formula of {size} nodes, more than maximum_size={most}: decorate it with "
                "`zcproxy.evolve.limits(primitives)`"
            )
        if not has_readable_text(child.formula):
            raise _WrongResultError("a formula that is nested too deep to be read")
        return child

    def _several(self, result: Any, count: int | None) -> Sequence[Any]:
        if not isinstance(result, list | tuple) or isinstance(result, gp.PrimitiveTree):
            raise _WrongResultError(f"a {type(result).__name__}, not a list or tuple")
        if count is not None and len(result) != count:
            raise _WrongResultError(f"{len(result)} where {count} are expected")
        return result

    def _chosen(self, result: Any, individuals: Iterable[Individual], k: int) -> list[Individual]:
        known = set(map(id, individuals))
        if any(id(item) not in known for item in self._several(result, k)):
            raise _WrongResultError("something that is none of the individuals it was given")
        return list(result)

    def _objectives(self, result: Any) -> tuple[float, ...]:
        values = self._several(result, len(ParetoFitness.weights))
        if not all(isinstance(value, int | float) for value in values):
            raise _WrongResultError("objectives that are not numbers")
        return tuple(map(float, values))


class _WrongResultError(Exception):
    """Says what an entry returned that the loop cannot take."""
