"""The examples in the docstrings of the public names run, each in an empty folder with a cache of its own."""

from __future__ import annotations

import doctest
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from matplotlib import pyplot
from plugin_files import no_plugins

import zcproxy

FUNCTIONS = [name for name in zcproxy.__all__ if not isinstance(getattr(zcproxy, name), type)]
IN_A_FILE = ("primitive", "probe")
"""Their examples are the text of a plugin."""


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZCPROXY_CACHE", str(tmp_path / "cache"))
    with no_plugins():
        yield
    pyplot.close("all")


def documented(name: str) -> Any:
    """Return what carries the docstring of a public name: `evolve` and `search` are packages that can be called."""
    found = getattr(zcproxy, name)
    return getattr(found, name) if inspect.ismodule(found) else found


def file_of(name: str) -> str:
    """Return the text of the plugin in a docstring."""
    text = inspect.getdoc(documented(name)) or ""
    (block,) = re.findall(r"::\n\n((?:(?: {8}.*)?\n?)+)", text)
    return textwrap.dedent(block)


def run(name: str) -> None:
    text = inspect.getdoc(documented(name)) or ""
    example = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
    assert example.examples, f"{name} has no example"
    output: list[str] = []
    found = doctest.DocTestRunner(verbose=False).run(example, out=output.append)
    assert found.attempted == len(example.examples) and not found.failed, "".join(output)


@pytest.mark.parametrize("name", sorted({*FUNCTIONS, "ProxySearch"} - {*IN_A_FILE, "load_plugin"}))
def test_the_example_runs(name: str) -> None:
    run(name)


def test_the_examples_of_a_plugin_load_as_one() -> None:
    Path("mine.py").write_text("\n".join(map(file_of, IN_A_FILE)))
    run("load_plugin")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_docstring_has_a_summary_arguments_and_errors(name: str) -> None:
    function = documented(name)
    text = inspect.getdoc(function) or ""
    assert re.match(r"[A-Z][^\n]*[.:]", text), name
    assert "Raises:" in text
    for argument in inspect.signature(function).parameters:
        assert re.search(rf"^ +{argument}: ", text, re.MULTILINE), f"{name} does not say what {argument} is"
