"""Results in a notebook: a short line, a table, a plot."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import zcproxy
from zcproxy.errors import ConfigurationError

TASK = "digits201"
KINDS = ("evolve", "search", "score", "table")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One small result of each kind."""
    folder = tmp_path_factory.mktemp("results")
    cache = folder / "cache"
    networks = zcproxy.get_task(TASK).architectures("all")[:12]
    plan = zcproxy.Plan(networks=12, resamples=20)
    small: dict[str, Any] = {"networks": 24, "test_networks": 10, "probes": ("noise",), "islands": 1, "island_size": 20}
    configuration = zcproxy.Configuration((TASK,), **small)
    setting = zcproxy.Setting(TASK, formula="sum(log(params))")
    goals = zcproxy.SearchConfiguration(setting, ("proxy",), ("macs",), evaluations=12, population=4)
    return {
        "evolve": zcproxy.evolve(configuration, zcproxy.Limits(generations=2), folder / "run", cache=cache),
        "search": zcproxy.search(goals, folder / "search", cache=cache),
        "score": zcproxy.score(["naswot,size=sum(log(params))"], TASK, networks, population="12 of all", cache=cache),
        "table": zcproxy.table(TASK, ["naswot"], plan, cache=cache),
    }


@pytest.fixture(autouse=True)
def _no_figure_stays() -> Iterator[None]:
    yield
    pyplot.close("all")


@pytest.mark.parametrize("kind", KINDS)
def test_a_result_is_a_short_line_a_small_table_and_axes(results: dict[str, Any], kind: str) -> None:
    result = results[kind]
    assert len(repr(result)) < 600 and len(repr(result).splitlines()) <= 2
    page = result._repr_html_()
    assert page.startswith("<div") and "<table" in page and len(page) < 20_000
    frame = result.to_frame()
    assert isinstance(frame, pd.DataFrame) and len(frame)
    changed = frame.columns[0]
    frame[changed] = ""
    assert not (result.to_frame()[changed] == "").any()
    axes = result.plot()
    assert isinstance(axes, Axes) and axes.get_xlabel() and axes.has_data()
    given = Figure().subplots()
    assert result.plot(given) is given and given.has_data()
    assert len(pyplot.get_fignums()) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_plot_without_matplotlib_names_the_extra(
    results: dict[str, Any], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ConfigurationError, match=r"needs the package matplotlib.*pip install 'zcproxy\[figures\]'"):
        results[kind].plot()


def test_evolution_has_its_front(results: dict[str, Any]) -> None:
    result = results["evolve"]
    frame = result.to_frame()
    (chosen,) = frame[frame["chosen"]].itertuples()
    assert chosen.formula == str(result.chosen.formula) and chosen.formula in repr(result)
    assert frame["size"].is_monotonic_increasing
    drawn = {tuple(np.round(line.get_ydata(), 6)) for line in result.plot().lines}
    assert tuple(np.round(frame["training_tau"], 6)) in drawn


def test_scores_have_a_row_per_network(results: dict[str, Any]) -> None:
    result = results["score"]
    frame = result.to_frame()
    assert list(frame) == ["arch", "label", "naswot", "size", "seconds"]
    assert frame["arch"].tolist() == list(result.architectures)
    assert np.array_equal(frame["size"], result.scores["size"])
    assert "size on digits201" in result.plot(name="size").get_title()
    with pytest.raises(ConfigurationError, match=r"proxy 'sise'.*size"):
        result.plot(name="sise")


def test_a_table_has_a_row_per_proxy_the_best_first(results: dict[str, Any]) -> None:
    result = results["table"]
    frame = result.to_frame()
    assert frame["proxy"].tolist() == [row.name for row in result.ranked()]
    assert frame["tau"].is_monotonic_decreasing
    assert frame.loc[0, "tau_high"] == result.ranked()[0].estimates["tau"].high
    labels = [label.get_text() for label in result.plot().get_yticklabels()]
    assert labels == frame["proxy"].tolist()


def test_a_search_has_its_front_first(results: dict[str, Any]) -> None:
    result = results["search"]
    frame = result.to_frame()
    assert len(frame) == 12 and frame["is_front"].sum() == len(result.front)
    assert frame["arch"][: len(result.front)].tolist() == result.front["arch"].tolist()
    assert set(frame["arch"]) == {outcome.architecture for outcome in result.outcomes}


def test_texts_of_users_are_shown_as_they_are(results: dict[str, Any]) -> None:
    networks = results["score"].architectures
    found = zcproxy.score(["cost=sum(log(params))"], TASK, networks, population="$\\frac{ <b>")
    axes = found.plot()
    axes.figure.canvas.draw()
    assert "$\\frac{ <b>" in axes.get_title().replace("\\$", "$")
    assert "<b>" not in found._repr_html_() and "&lt;b&gt;" in found._repr_html_()
