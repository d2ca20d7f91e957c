"""Collects the source of functions together with all that they refer to, as text that stands alone."""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import resolve_name
from itertools import groupby

from zcproxy.errors import FormulaError

Reference = tuple[str, str]
"""A module and a name at its top level."""

Imports = dict[str, "Import"]
"""Imports by the name they bind."""

_DECORATOR = "primitive"
"""The decorator that registers a primitive; copied functions go without it."""


@dataclass(frozen=True)
class Import:
    """An import of a module, or of one attribute of it, under a name."""

    module: str
    attribute: str | None
    name: str

    @property
    def package(self) -> str:
        """The top-level package."""
        return self.module.partition(".")[0]


@dataclass(frozen=True)
class Definition:
    """A function, class or assignment at the top level of a module.

    Attributes:
        module: where it stands.
        line: its first line there.
        bound: the names it defines.
        source: its text, without the decorator of a primitive.
        used: the names it may refer to.
        imports: what it imports when it runs.
    """

    module: str
    line: int
    bound: tuple[str, ...]
    source: str
    used: tuple[str, ...]
    imports: tuple[Import, ...]


@dataclass(frozen=True)
class Closure:
    """Definitions in an order in which they can be executed, and the imports they need."""

    definitions: list[Definition]
    imports: list[Import]

    def import_lines(self) -> str:
        """Return the imports as text, the standard library first, one line per module."""
        blocks: dict[bool, list[str]] = {True: [], False: []}
        modules: dict[tuple[bool, str], list[str]] = {}
        for item in sorted(self.imports, key=lambda item: (item.module, item.name)):
            if item.attribute is None:
                alias = "" if item.name == item.package else f" as {item.name}"
                blocks[item.package in sys.stdlib_module_names].append(f"import {item.module}{alias}")
            else:
                alias = "" if item.name == item.attribute else f" as {item.name}"
                key = (item.package in sys.stdlib_module_names, item.module)
                modules.setdefault(key, []).append(f"{item.attribute}{alias}")
        for (standard, module), names in modules.items():
            blocks[standard].append(f"from {module} import {', '.join(names)}")
        return "\n\n".join("\n".join(lines) for lines in blocks.values() if lines)

    def body(self) -> str:
        """Return the definitions as text, under the names of the modules they are from."""
        texts: list[str] = []
        for module, group in groupby(self.definitions, lambda definition: definition.module):
            texts += [f"# From {module}", *(definition.source for definition in group)]
        return "\n\n\n".join(texts)


def collect(
    roots: Iterable[Reference], *, substitutes: Mapping[Reference, Reference], reserved: Iterable[str]
) -> Closure:
    """Return the definitions that `roots` need, themselves included.

    What the packages of the roots define is copied; torch and the standard library are imported.

    Args:
        roots: what to start from.
        substitutes: definitions to copy in place of others; names must be equal.
        reserved: names that no definition may have.

    Raises:
        FormulaError: a definition needs another package, or two have the same name.
    """
    return _Collector(list(roots), substitutes, reserved).closure()


class _Collector:
    def __init__(
        self, roots: list[Reference], substitutes: Mapping[Reference, Reference], reserved: Iterable[str]
    ) -> None:
        self._roots = roots
        self._substitutes = substitutes
        self._packages = {"zcproxy", *(module.partition(".")[0] for module, _ in roots)}
        self._bound: dict[str, Definition | Import | None] = dict.fromkeys(reserved)
        self._needs: dict[Definition, list[Definition]] = {}

    def closure(self) -> Closure:
        waiting = [self._definition(root) for root in self._roots]
        while waiting:
            definition = waiting.pop()
            if definition not in self._needs:
                for name in definition.bound:
                    self._claim(name, definition)
                self._needs[definition] = self._followed(definition)
                waiting.extend(self._needs[definition])
        modules = self._modules_in_order()
        kept = sorted(self._needs, key=lambda item: (modules.index(item.module), item.line))
        return Closure(kept, [item for item in self._bound.values() if isinstance(item, Import)])

    def _definition(self, reference: Reference) -> Definition:
        found = self._resolve(*reference)
        if not isinstance(found, Definition):
            raise FormulaError(f"cannot export '{reference[1]}': {reference[0]} does not define it at its top level")
        return found

    def _followed(self, definition: Definition) -> list[Definition]:
        found = []
        for inner in definition.imports:
            self._check_package(definition, inner)
        for name in definition.used:
            item = self._resolve(definition.module, name)
            if isinstance(item, Definition) and name not in item.bound:
                raise FormulaError(f"cannot export: {definition.module} imports '{item.bound[0]}' as '{name}'")
            if isinstance(item, Definition):
                found.append(item)
            elif isinstance(item, Import):
                self._check_package(definition, item)
                self._claim(name, item)
        return found

    def _resolve(self, module: str, name: str) -> Definition | Import | None:
        """Return what a name means at the top level of a module; None for builtins and local names."""
        module, name = self._substitutes.get((module, name), (module, name))
        definitions, imports = _read(module)
        item = definitions.get(name) or imports.get(name)
        if not isinstance(item, Import) or item.package not in self._packages or item.attribute is None:
            return item
        found = self._resolve(item.module, item.attribute)
        if found is None:
            raise FormulaError(f"cannot export '{item.attribute}': {item.module} does not define it at its top level")
        return found

    def _check_package(self, definition: Definition, item: Import) -> None:
        if item.package != "torch" and item.package not in sys.stdlib_module_names:
            raise FormulaError(
                f"cannot export '{definition.bound[0]}' of {definition.module}: it uses the module {item.module}, "
                "but an exported file imports nothing beyond torch and the standard library"
            )

    def _claim(self, name: str, item: Definition | Import) -> None:
        if self._bound.setdefault(name, item) != item:
            raise FormulaError(
                f"cannot export: '{name}' of {item.module} has the name of something else in the file: rename it"
            )

    def _modules_in_order(self) -> list[str]:
        """Return the modules, each after those whose definitions it needs."""
        needs: dict[str, dict[str, None]] = {}
        for definition, others in self._needs.items():
            needs.setdefault(definition.module, {}).update(dict.fromkeys(other.module for other in others))
        order: dict[str, None] = {}
        visited = set()

        def visit(module: str) -> None:
            if module not in visited:
                visited.add(module)
                for other in sorted(needs.get(module, ())):
                    visit(other)
                order[module] = None

        for module in sorted(needs):
            visit(module)
        return list(order)


@cache
def _read(module: str) -> tuple[dict[str, Definition], Imports]:
    """Return what a module defines and imports at its top level, by name."""
    try:
        text = inspect.getsource(importlib.import_module(module))
    except (OSError, TypeError) as error:
        raise FormulaError(f"cannot export: the module {module} has no source") from error
    statements = ast.parse(text).body
    imports = _imports(module, statements)
    lines = text.splitlines()
    definitions = {}
    for statement, following in zip(statements, [*statements[1:], None], strict=True):
        bound = _names_bound(statement)
        if bound:
            decorators = [item for item in getattr(statement, "decorator_list", ()) if not _registers(item, imports)]
            parts: list[ast.stmt | ast.expr] = [*decorators, statement]
            if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant) and len(parts) == 1:
                parts += [following] if isinstance(statement, (ast.Assign, ast.AnnAssign)) else []
            source = "\n".join("\n".join(lines[part.lineno - 1 : part.end_lineno]) for part in parts)
            used = tuple(name for name in _names_used(statement, decorators) if name not in bound)
            inner = tuple(_imports(module, ast.walk(statement)).values())
            definition = Definition(module, statement.lineno, bound, source, used, inner)
            definitions.update(dict.fromkeys(bound, definition))
    return definitions, imports


def _imports(module: str, statements: Iterable[ast.AST]) -> Imports:
    found = []
    for statement in statements:
        if isinstance(statement, ast.Import):
            found += [Import(item.name, None, item.asname or item.name.partition(".")[0]) for item in statement.names]
        elif isinstance(statement, ast.ImportFrom):
            relative = "." * statement.level + (statement.module or "")
            origin = resolve_name(relative, sys.modules[module].__package__ or "")
            found += [Import(origin, item.name, item.asname or item.name) for item in statement.names]
    return {item.name: item for item in found}


def _registers(decorator: ast.expr, imports: Imports) -> bool:
    """Whether a decorator is the one of primitives."""
    call = decorator.func if isinstance(decorator, ast.Call) else decorator
    item = imports.get(call.id) if isinstance(call, ast.Name) else None
    return item is not None and item.package == "zcproxy" and item.attribute == _DECORATOR


def _names_bound(statement: ast.stmt) -> tuple[str, ...]:
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return (statement.name,)
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        names = [node for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
        return tuple(node.id for node in names)
    return ()


def _names_used(statement: ast.stmt, decorators: list[ast.expr]) -> tuple[str, ...]:
    parts = [item for item in ast.iter_child_nodes(statement) if item not in getattr(statement, "decorator_list", ())]
    nodes = [node for part in [*parts, *decorators] for node in ast.walk(part)]
    return tuple(dict.fromkeys(node.id for node in nodes if isinstance(node, ast.Name)))
