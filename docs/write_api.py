"""Writes docs/api.md, the list of public names, from their docstrings: python docs/write_api.py."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

PAGE = Path(__file__).with_name("api.md")

OPENING = """\
# Python interface

`import zcproxy` offers the names below: they are `zcproxy.__all__`, and they are public, as are `zcproxy.testing`,
`zcproxy.adapters`, `zcproxy.callbacks`, and the [operators of evolution](evolve.md). Every other module is internal and
may change without notice: see [CONTRIBUTING](../CONTRIBUTING.md#public-names). `help(zcproxy.Plan)` shows arguments,
shapes, defaults and errors.
The [README](../README.md#in-python) has an example.

`make api` writes this page from the docstrings.
"""

GROUPS = {
    "Proxies": ("zcproxy", ("load_proxy", "Proxy", "load_teacher")),
    "Evolution": ("zcproxy", ("evolve", "Configuration", "Limits", "Result")),
    "Operators of evolution": (
        "zcproxy.evolve",
        ("primitive_set", "PrimitiveSet", "Individual", "tree_of", "formula_of", "limits"),
    ),
    "Scores and tables": ("zcproxy", ("score", "Scores", "table", "Plan", "TaskTable", "get_task")),
    "Words of your own": ("zcproxy", ("primitive", "probe", "load_plugin")),
    "Few labels": ("zcproxy", ("discover", "Discovery", "ProxySearch", "one_input", "adapt", "Adaptation")),
    "Loggers and progress": ("zcproxy.callbacks", ("TensorBoard", "MLflow", "Progress")),
    "Search": ("zcproxy", ("search", "SearchConfiguration", "Setting", "SearchResult")),
    "Elastic transformers": ("zcproxy.search", ("elastic", "ElasticTransformer")),
    "What you implement": ("zcproxy", ("ChoiceSpace", "SearchSpace", "Task", "Batch", "SuperNetwork", "ImageDataset")),
    "Errors": ("zcproxy", ("ZcproxyError",)),
    "Checks of your own code": ("zcproxy.testing", ("check_space", "check_network", "check_task")),
    "Other tools": ("zcproxy.adapters", ("ArchitectureProblem", "measure", "SubNetworkEvaluator")),
}
"""Headings with the module that offers the names, and the names."""


def page() -> str:
    """Return the text of the page."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield OPENING
    for title, (module, names) in GROUPS.items():
        yield f"## {title}"
        yield "| name | |"
        yield "|---|---|"
        yield from (f"| `{module}.{name}` | {_summary(module, name)} |" for name in names)
        yield ""


def _summary(module: str, name: str) -> str:
    """Return the first line of the docstring; `evolve` and `search` are packages that are called like functions."""
    found = getattr(import_module(module), name)
    described = getattr(found, name) if inspect.ismodule(found) else found
    return (inspect.getdoc(described) or "").partition("\n")[0].replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
