"""zcproxy: discovers zero-cost proxies by genetic programming.

What is listed in `__all__` is public; every other module is internal and may change without notice, but for the
packages that these names come from: `zcproxy.evolve` and `zcproxy.search` are packages that can be called,
`zcproxy.adapters` has the interfaces of other tools, `zcproxy.callbacks` those of loggers, and `zcproxy.testing` the
checks for your own spaces and tasks.
"""

from __future__ import annotations

import os
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zcproxy.adapting.adapt import Adaptation as Adaptation, adapt as adapt
    from zcproxy.contracts.choice_space import ChoiceSpace as ChoiceSpace
    from zcproxy.contracts.dataset import ImageDataset as ImageDataset
    from zcproxy.contracts.own_inputs import one_input as one_input
    from zcproxy.contracts.super_network import SuperNetwork as SuperNetwork
    from zcproxy.contracts.task import Batch as Batch, SearchSpace as SearchSpace, Task as Task
    from zcproxy.discovery.discover import discover as discover
    from zcproxy.discovery.discovery import Discovery as Discovery
    from zcproxy.discovery.estimator import ProxySearch as ProxySearch
    from zcproxy.errors import ZcproxyError as ZcproxyError
    from zcproxy.evolve import Configuration as Configuration, Limits as Limits, Result as Result, evolve as evolve
    from zcproxy.names.own_words import primitive as primitive, probe as probe
    from zcproxy.names.plugins import load_plugin as load_plugin
    from zcproxy.names.proxies import load_proxy as load_proxy
    from zcproxy.names.tasks import get_task as get_task
    from zcproxy.names.teachers import load_teacher as load_teacher
    from zcproxy.proxy.proxy import Proxy as Proxy
    from zcproxy.ranking.scoring import Scores as Scores, score_networks as score
    from zcproxy.ranking.table import Plan as Plan, TaskTable as TaskTable, build_table as table
    from zcproxy.search import (
        SearchConfiguration as SearchConfiguration,
        SearchResult as SearchResult,
        Setting as Setting,
        search as search,
    )

__version__ = version("zcproxy")

_HERE = os.path.dirname(__file__)
if not os.path.isdir(os.path.join(_HERE, "primitives")):  # a checkout: folders that install inside stand beside it
    __path__ += [os.path.dirname(_HERE), os.path.join(os.path.dirname(_HERE), "results")]

_PLACES = {
    "Adaptation": "adapting.adapt",
    "Batch": "contracts.task",
    "ChoiceSpace": "contracts.choice_space",
    "Configuration": "evolve.configuration",
    "Discovery": "discovery.discovery",
    "ImageDataset": "contracts.dataset",
    "Limits": "evolve.configuration",
    "Plan": "ranking.table",
    "Proxy": "proxy.proxy",
    "ProxySearch": "discovery.estimator",
    "Result": "evolve.results",
    "Scores": "ranking.scoring",
    "SearchConfiguration": "search.configuration",
    "SearchResult": "search.results",
    "SearchSpace": "contracts.task",
    "Setting": "search.quantities.networks",
    "SuperNetwork": "contracts.super_network",
    "Task": "contracts.task",
    "TaskTable": "ranking.table",
    "ZcproxyError": "errors",
    "adapt": "adapting.adapt",
    "discover": "discovery.discover",
    "get_task": "names.tasks",
    "load_plugin": "names.plugins",
    "load_proxy": "names.proxies",
    "load_teacher": "names.teachers",
    "one_input": "contracts.own_inputs",
    "primitive": "names.own_words",
    "probe": "names.own_words",
    "score": "ranking.scoring:score_networks",
    "table": "ranking.table:build_table",
}
"""The module of each public name; after a `:` the name that it has there, where that is another."""

__all__ = [
    "Adaptation",
    "Batch",
    "ChoiceSpace",
    "Configuration",
    "Discovery",
    "ImageDataset",
    "Limits",
    "Plan",
    "Proxy",
    "ProxySearch",
    "Result",
    "Scores",
    "SearchConfiguration",
    "SearchResult",
    "SearchSpace",
    "Setting",
    "SuperNetwork",
    "Task",
    "TaskTable",
    "ZcproxyError",
    "adapt",
    "discover",
    "evolve",
    "get_task",
    "load_plugin",
    "load_proxy",
    "load_teacher",
    "one_input",
    "primitive",
    "probe",
    "score",
    "search",
    "table",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: a command answers Ctrl-C before torch is imported."""
    if name in ("evolve", "search", "callbacks"):
        return import_module(f"zcproxy.{name}")
    if name not in _PLACES:
        raise AttributeError(f"module 'zcproxy' has no attribute '{name}'")
    place, _, own_name = _PLACES[name].partition(":")
    return getattr(import_module(f"zcproxy.{place}"), own_name or name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
