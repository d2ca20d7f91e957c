"""Runs on the embedded benchmark that all tests of pages share, and what a browser would ask of a page."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from zcproxy.evolve import Configuration, Limits, evolve
from zcproxy.names.scorers import resolve_scorers
from zcproxy.ranking.controls import compare
from zcproxy.ranking.files import write_table
from zcproxy.ranking.table import Plan, build_table
from zcproxy.search import SearchConfiguration, Setting, search

TASK = "digits201"
SMALL = Configuration(
    (TASK,),
    networks=20,
    test_networks=12,
    probes=("noise",),
    batch_size=4,
    goals=(TASK,),
    new_columns=0,
    islands=2,
    island_size=40,
)


@pytest.fixture(scope="session")
def page_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("columns")


@pytest.fixture(scope="session")
def _ended(tmp_path_factory: pytest.TempPathFactory, page_cache: Path) -> Path:
    path = tmp_path_factory.mktemp("runs") / "small"
    result = evolve(SMALL, Limits(generations=15), path, cache=page_cache)
    compare(path, result, resolve_scorers("synflow"), cache=page_cache)
    return path


@pytest.fixture
def ended(_ended: Path, tmp_path: Path) -> Path:
    """A copy of a run that has ended, for a test that changes it."""
    return shutil.copytree(_ended, tmp_path / "small")


@pytest.fixture
def whole_front(_ended: Path) -> pd.DataFrame:
    """The front of the run as it has written it."""
    return pd.read_csv(_ended / "front.csv")


@pytest.fixture
def stopped(ended: Path) -> Path:
    """The same run as it was before its end: without a result."""
    for name in ("best.json", "front.csv", "correlations.csv"):
        (ended / name).unlink()
    shutil.rmtree(ended / "front")
    return ended


@pytest.fixture(scope="session")
def _tabled(tmp_path_factory: pytest.TempPathFactory, page_cache: Path) -> Path:
    path = tmp_path_factory.mktemp("tables") / "table"
    plan = Plan(networks=20, resamples=50)
    write_table(path, [build_table(TASK, resolve_scorers("synflow,size=sum(log(params))"), plan, cache=page_cache)])
    return path


@pytest.fixture
def tabled(_tabled: Path, tmp_path: Path) -> Path:
    """A copy of the folder of a table."""
    return shutil.copytree(_tabled, tmp_path / "table")


@pytest.fixture(scope="session")
def _searched(tmp_path_factory: pytest.TempPathFactory, page_cache: Path) -> Path:
    path = tmp_path_factory.mktemp("searches") / "search"
    setting = Setting(TASK, formula="sum(log(params))")
    configuration = SearchConfiguration(setting, ("proxy",), ("macs",), evaluations=16, population=8)
    search(configuration, path, cache=page_cache)
    return path


@pytest.fixture
def searched(_searched: Path, tmp_path: Path) -> Path:
    """A copy of the directory of a search."""
    return shutil.copytree(_searched, tmp_path / "search")


class _Reader(HTMLParser):
    """Collects what a page could make a browser do, and its texts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture
def checked() -> Callable[[str], str]:
    """Check that a page asks for nothing and executes nothing, and return its texts."""

    def check(page: str) -> str:
        reader = _Reader()
        reader.feed(page)
        reader.close()
        assert reader.tags.isdisjoint({"script", "link", "img", "iframe", "object", "embed", "base", "form", "image"})
        names = {name for name, _ in reader.attributes}
        assert not [name for name in names if name.startswith("on") or name in ("src", "srcset", "action", "data")]
        assert all(value.startswith("#") for name, value in reader.attributes if name.endswith("href"))
        everything = "".join([*reader.texts, *(value for _, value in reader.attributes)])
        assert all(part.startswith("#") for part in everything.split("url(")[1:])
        assert "@import" not in everything
        return "".join(reader.texts)

    return check
