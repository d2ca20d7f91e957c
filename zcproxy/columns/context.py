"""The key of a measured column: the context of a sweep, and the version of the code that computes an expression."""

from __future__ import annotations

import hashlib
import inspect
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from zcproxy.contracts.task import Task
from zcproxy.formula import Node, vocabulary
from zcproxy.models.initialisation import OWN
from zcproxy.probing.expressions import probes_of
from zcproxy.probing.probes import OWN_INPUTS, PROBES
from zcproxy.probing.teacher import token_of
from zcproxy.user_code.chosen_teacher import chosen_teacher
from zcproxy.user_code.permission import own_names
from zcproxy.user_code.plugins import loaded_plugins, plugin_of

SHARED_BY_PRIMITIVES = "zcproxy.primitives.arrays"
CODE_VERSION = 6
"""Increased when probes, recorder, descriptors or the files change: older columns are then not read any more."""


@dataclass(frozen=True)
class Context:
    """Everything besides the architecture and the expression that a column depends on.

    Attributes:
        task: its networks and images are used. Contexts of tasks of one name are equal.
        name: name of the task.
        batch_size: samples of a minibatch.
        initialisation: index of the random initialisation and of the random inputs.
        device: `cpu` or `cuda`.
        images: token of what the minibatches are made of, see `zcproxy.images.image_sets`; empty for what is at
            hand. It is part of the key of the columns that look at images, not of the context's.
        rule: by which weights are drawn, see `zcproxy.models.initialisation`.
        teacher: the network that columns may read beside those of the task: the one that was chosen, else that of the
            task, which may have an attribute `teacher`, `package.module:factory`; empty for none. Like the images it is
            part of the key of the columns that read it.
    """

    task: Task = field(compare=False, repr=False)
    batch_size: int = 8
    initialisation: int = 0
    device: str = "cpu"
    images: str = ""
    rule: str = OWN
    teacher: str = field(default_factory=chosen_teacher)
    name: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.task.name)
        object.__setattr__(self, "teacher", self.teacher or getattr(self.task, "teacher", ""))

    def teacher_token(self) -> str:
        """Return the reference of the teacher with the digest of its code and weights; empty for none.

        Raises:
            ConfigurationError, ModelError: it cannot be made, see `zcproxy.probing.teacher.teacher_of`.
        """
        with own_names():  # the user's, or those of a task, which is permitted
            return self.teacher and token_of(self.teacher)

    def shared(self) -> dict[str, Any]:
        """Return what all columns of the context's folder have in common; the rule where it is not the space's own.

        A task whose name changes with its networks says what they are `stored_under`.
        """
        return {
            "task": getattr(self.task, "stored_under", self.name),
            "batch_size": self.batch_size,
            "initialisation": self.initialisation,
            "device": self.device,
            **({} if self.rule == OWN else {"rule": self.rule}),
        }

    @property
    def key(self) -> str:
        """The name of the context's folder."""
        return folder_name(self.shared(), self.task.fingerprint)


def folder_name(shared: Mapping[str, Any], fingerprint: str) -> str:
    """Return the name of a context's folder, given what its columns have in common and the fingerprint of its task."""
    text = json.dumps([CODE_VERSION, shared, fingerprint], sort_keys=True)
    name = re.sub(r"[^A-Za-z0-9_.]+", "-", shared["task"]).strip("-")[-60:]
    return f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def column_key(column: Node) -> str:
    """Return the text of a column with the version of the code it is computed by: the files of its primitives.

    What primitives share counts for all of them. Plugins that it reads words of count with their whole content.
    """
    return _column_key(column, tuple(plugin.digest for plugin in loaded_plugins()))


def is_key_of(stored: str, key: str) -> bool:
    """Whether a key in a store is that of a column, as `column_key` returns it, on whatever images."""
    return stored == key or stored.startswith(f"{key} ")


@cache
def _column_key(column: Node, loaded: tuple[str, ...]) -> str:
    """Return the key while these plugins are loaded: when others are, their words may be defined anew."""
    return fresh_key(column)


def fresh_key(column: Node) -> str:
    """Return what `column_key` does, computed now."""
    own = plugin_digests(column)
    versions = [_module_version(name) for name in sorted((_modules(column) - own.keys()) | {SHARED_BY_PRIMITIVES})]
    versions += sorted(own.values())
    return f"{column} #{hashlib.sha256(' '.join(versions).encode()).hexdigest()[:8]}"


def plugin_digests(column: Node) -> dict[str, str]:
    """Return the modules of plugins that a column reads words of, each with the digest of its content."""
    passes = [run for name in probes_of(column) for run in PROBES[name].passes]
    of_probes = {OWN_INPUTS[run.inputs].make.__module__ for run in passes if run.inputs in OWN_INPUTS}
    found = {module: plugin_of(module) for module in _modules(column) | of_probes}
    return {module: plugin.digest for module, plugin in found.items() if plugin is not None}


def _modules(column: Node) -> set[str]:
    """Return the modules of the primitives of a column."""
    names = {node.symbol for node in column.walk() if node.arguments}
    return {function.__module__ for name in names for function in vocabulary().primitives[name].functions.values()}


@cache
def _module_version(name: str) -> str:
    return hashlib.sha256(inspect.getsource(sys.modules[name]).encode()).hexdigest()
