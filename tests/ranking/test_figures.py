"""Figures of tables, read from what is drawn; and the options that ask for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from simulated_tables import NOISE, simulated_table

from zcproxy.errors import ConfigurationError
from zcproxy.figures.style import COLUMN_WIDTH, TEXT_WIDTH
from zcproxy.ranking.figures.agreement import agreement, correlations, grouped
from zcproxy.ranking.figures.forest import forest
from zcproxy.ranking.figures.heatmap import heatmap
from zcproxy.ranking.figures.kinds import KINDS, figures_asked
from zcproxy.ranking.figures.scatter import one_scatter, scatter
from zcproxy.ranking.significance import behind_best
from zcproxy.ranking.table import TaskTable

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def table() -> TaskTable:
    return simulated_table("a/task", {**NOISE, "params": 1.5}, more={"$flat_": np.ones(120)}, baselines=("params",))


def titles(figure: Figure) -> str:
    """All titles of a figure and of its parts, each in one line."""
    parts = [figure, *figure.subfigs]
    found = [part.get_suptitle() for part in parts] + [axis.get_title() for axis in figure.axes]
    return " | ".join(" ".join(text.split()) for text in found)


def names_of(axis: Axes) -> list[str]:
    return [label.get_text() for label in axis.get_yticklabels()]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_says_which_networks_and_which_seed(kind: str, table: TaskTable) -> None:
    others = [table, simulated_table("b/task"), simulated_table("c/task", networks=40)]
    for tables in ([table], others[:2], others):
        figure = KINDS[kind](tables)
        labels = " ".join(label.get_text() for axis in figure.axes for label in axis.get_xticklabels())
        said = f"{titles(figure)} {labels}"
        assert "120 of all 500, seed 7" in said
        assert ("40 of all 500, seed 7" in said) == (len(tables) == 3)
        assert figure.get_figwidth() <= TEXT_WIDTH
        figure.draw_without_rendering()


@pytest.mark.parametrize("kind", ["forest", "heatmap", "scatter"])
def test_one_task_fits_a_column(kind: str, table: TaskTable) -> None:
    assert KINDS[kind]([table]).get_figwidth() == COLUMN_WIDTH


def test_a_forest_has_every_tau_with_its_interval_the_best_on_top(table: TaskTable) -> None:
    axis = forest([table]).axes[0]
    ranked = table.ranked()
    assert names_of(axis) == [row.name for row in ranked]
    drawn = {tuple(line.get_ydata()): line.get_xdata() for line in axis.get_lines() if len(line.get_ydata()) == 2}
    marks = {int(line.get_ydata()[0]): line for line in axis.get_lines() if len(line.get_ydata()) == 1}
    behind = {name for name, each in behind_best(table).items() if each.is_significant}
    assert {"far", "middle"} <= behind and "$flat_" not in behind
    for place, row in enumerate(ranked[:-1]):
        tau = row.estimates["tau"]
        assert tuple(drawn[place, place]) == (tau.low, tau.high)
        assert marks[place].get_xdata()[0] == tau.value
        assert (marks[place].get_markerfacecolor() == "white") == (row.name in behind)
        assert marks[place].get_marker() == ("s" if row.name == "params" else "o")
    assert [text.get_text() for text in axis.texts] == ["undefined"] and len(marks) == len(ranked) - 1


def test_a_heat_map_has_a_column_per_task(table: TaskTable) -> None:
    other = simulated_table("b/task", {"best": 2.0, "near": 0.3})
    figure = heatmap([table, other])
    axis = figure.axes[0]
    values = np.ma.filled(axis.images[0].get_array(), np.nan)
    names = names_of(axis)
    for column, each in enumerate((table, other)):
        known = {row.name: row.estimates["tau"].value for row in each.rows}
        expected = [known.get(name, np.nan) for name in names]
        np.testing.assert_array_equal(values[:, column], expected)
    numbers = {text.get_position(): text for text in axis.texts}
    near = names.index("near")
    assert numbers[1, near].get_text() == f"{values[near, 1]:.2f}" and numbers[1, near].get_fontweight() == "bold"
    assert numbers[1, names.index("best")].get_fontweight() == "normal"
    assert numbers[1, names.index("far")].get_text() == ""


def test_agreement_is_the_correlation_of_scores_and_accuracy(table: TaskTable) -> None:
    other = simulated_table("b/task", {"best": 2.0}, seed=9)
    axis = agreement([table, other]).axes[0]
    values, names = np.ma.filled(axis.images[0].get_array(), np.nan), names_of(axis)

    def tau(each: TaskTable) -> float:
        (scores,) = (row.scores for row in each.rows if row.name == "best")
        return float(scipy.stats.kendalltau(scores, each.labels).statistic)

    place = names.index("best"), names.index("accuracy")
    assert values[place] == pytest.approx((tau(table) + tau(other)) / 2)
    assert values[place[::-1]] == values[place]
    assert np.isnan(values[names.index("$flat_")]).all()
    near, far = (next(row.scores for row in table.rows if row.name == name) for name in ("near", "far"))
    expected = scipy.stats.kendalltau(near, far).statistic
    assert values[names.index("near"), names.index("far")] == pytest.approx(expected)


def test_undefined_scores_rank_worst_in_the_agreement() -> None:
    first = np.array([np.nan, 1.0, 2.0, 3.0])
    found = correlations([first, np.arange(4.0)])
    assert found[0, 1] == 1.0


def test_what_agrees_stands_together() -> None:
    rng = np.random.default_rng(0)
    groups = rng.normal(size=(2, 50))
    scores = [groups[place % 2] + 0.1 * rng.normal(size=50) for place in range(6)]
    order = [place % 2 for place in grouped(correlations(scores))]
    assert order in ([0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0])


def test_a_scatter_has_a_panel_per_proxy_with_its_tau(table: TaskTable) -> None:
    figure = scatter([table])
    shown = [axis for axis in figure.axes if axis.get_visible()]
    for axis, row in zip(shown, table.ranked(), strict=True):
        tau = row.estimates["tau"].value
        assert axis.get_title() == (f"{row.name} (undefined)" if np.isnan(tau) else f"{row.name} {tau:.2f}")
        points = np.asarray(axis.collections[0].get_offsets())
        np.testing.assert_array_equal(points[:, 1], table.labels)
        is_flat = row.name == "$flat_"
        assert np.ptp(points[:, 0]) == (0 if is_flat else len(table.labels) - 1)
        assert is_flat or scipy.stats.kendalltau(points[:, 0], row.scores).statistic == pytest.approx(1.0)


def test_one_proxy_is_shown_by_its_scores() -> None:
    labels = np.arange(1.0, 9.0)
    scores = np.exp(3 * labels)
    scores[:2] = np.nan, np.inf
    axis = one_scatter(scores, labels, "task: 8 of 9, seed 1", "tau $x_1").axes[0]
    assert axis.get_xscale() == "log" and axis.get_xlabel() == "score (2 of 8 networks have no finite one)"
    np.testing.assert_array_equal(axis.collections[0].get_offsets(), np.column_stack([scores, labels])[2:])
    assert axis.get_title() == "task: 8 of 9, seed 1\ntau $x_1"
    assert one_scatter(labels, labels, "", "").axes[0].get_xscale() == "linear"


# What is asked for


def test_kinds_go_with_figures_in_turn(tmp_path: Path) -> None:
    first, second = tmp_path / "a.pdf", tmp_path / "b.svg"
    assert figures_asked([first, second], [], 1) == {first: "forest", second: "forest"}
    assert figures_asked([first], [], 2) == {first: "heatmap"}
    assert figures_asked([first, second], ["scatter"], 1) == {first: "scatter", second: "scatter"}
    assert figures_asked([first, second], ["scatter", "agreement"], 2) == {first: "scatter", second: "agreement"}
    for paths, kinds in (([first], ["forest", "heatmap"]), ([], ["forest"])):
        with pytest.raises(ConfigurationError, match=r"kinds? for \d figures"):
            figures_asked(paths, kinds, 1)


SMALL = ("digits201", "--networks", "12", "--workers", "1", "--quiet")
REFUSED = {
    "a.gif": "cannot draw a.gif: give the file of a figure the ending .pdf, .svg or .png",
    "figure": "cannot draw figure:",
    "file/a.pdf": "cannot write file/a.pdf: Not a directory",
    "folder.pdf": "it is a folder",
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("command", ["table", "score", "search", "evolve"])
def test_a_figure_that_cannot_be_written_is_refused_before_the_work(
    run: Command, tmp_path: Path, command: str, name: str
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.pdf").mkdir()
    words = ["params", "digits201"] if command == "score" else ["digits201"]
    code, out, error = run(command, *words, "--figure", name)
    assert (code, out, len(error.splitlines())) == (2, "", 1) and REFUSED[name] in error
    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder.pdf"}


def test_two_figures_of_one_name_are_refused(run: Command) -> None:
    code, out, error = run("table", *SMALL, "--figure", "a.pdf", "--figure", "a.pdf")
    assert (code, out, len(error.splitlines())) == (2, "", 1) and "a.pdf is named twice" in error
    code, out, error = run("table", *SMALL, "--figure", "a.pdf", "--figure-kind", "pie")
    assert (code, out, len(error.splitlines())) == (2, "", 1) and "unknown kind of figure 'pie'" in error


def test_commands_write_what_their_endings_say(run: Command, tmp_path: Path) -> None:
    begins = {".pdf": b"%PDF", ".svg": b"<?xml", ".png": b"\x89PNG"}
    some = [option for ending in begins for option in ("--figure", f"new/a{ending}")]
    few = ("--generations", "1", "--new-columns", "0", "--probes", "noise", "--test-networks", "8", "--out", "run")
    search = ("--proxy", "sum(log(params))", "--minimize", "macs", "--evaluations", "8", "--population", "4")
    for command in (
        ("table", *SMALL, "--proxies", "params", "--resamples", "20", *some),
        ("score", "sum(log(params))", *SMALL, *some),
        ("evolve", *SMALL[:1], "--networks", "24", *SMALL[3:], *few, *some),
        ("search", *SMALL[:1], *SMALL[3:], *search, "--out", "found", *some),
    ):
        code, _, error = run(*command)
        assert code == 0, error
        for ending, start in begins.items():
            path = tmp_path / "new" / f"a{ending}"
            assert path.read_bytes().startswith(start) and f"written: new/a{ending}" in error
            path.unlink()
