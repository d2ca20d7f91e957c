"""The public names of the package."""

from __future__ import annotations

import inspect
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import zcproxy
from zcproxy.evolve.run import evolve
from zcproxy.search.run import search


@pytest.mark.parametrize("name", zcproxy.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    found = getattr(zcproxy, name)
    assert inspect.getdoc(found), name
    assert callable(found)


def test_all_lists_what_the_package_offers() -> None:
    assert sorted(zcproxy.__all__) == zcproxy.__all__
    assert {*zcproxy._PLACES, "evolve", "search"} == set(zcproxy.__all__)
    assert set(zcproxy.__all__) <= set(dir(zcproxy))


def test_the_page_of_the_interface_lists_every_public_name_with_its_docstring() -> None:
    docs = Path(__file__).parents[1] / "docs"
    script = runpy.run_path(str(docs / "write_api.py"))
    listed = [name for module, names in script["GROUPS"].values() if module == "zcproxy" for name in names]
    assert sorted(listed) == zcproxy.__all__
    assert (docs / "api.md").read_text(encoding="utf-8") == script["page"](), "write it again with `make api`"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'evolv'"):
        zcproxy.evolv  # noqa: B018


def test_the_packages_of_evolution_and_search_are_called_like_their_functions() -> None:
    packages: list[Any] = [zcproxy.evolve, zcproxy.search]  # type checkers see the functions
    assert packages[0].evolve is evolve and packages[1].search is search
    for package in packages:
        with pytest.raises(TypeError, match="missing"):
            package()


def test_names_of_earlier_releases_stay_for_one_more() -> None:
    from zcproxy.contracts.choice_space import ChoiceSpace
    from zcproxy.contracts.task import SearchSpace, Task

    assert (SearchSpace, Task, ChoiceSpace) == (zcproxy.SearchSpace, zcproxy.Task, zcproxy.ChoiceSpace)


def test_importing_the_package_imports_no_torch() -> None:
    code = "import sys, zcproxy; print(any(name in sys.modules for name in ('torch', 'pandas', 'scipy', 'deap')))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
