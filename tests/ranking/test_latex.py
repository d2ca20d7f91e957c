"""LaTeX tables: read by a parser of its own, which knows braces, environments, cells and columns."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from simulated_tables import simulated_table

from zcproxy.errors import ConfigurationError
from zcproxy.ranking.latex import HEADINGS, Typesetting, latex
from zcproxy.ranking.measures import judge
from zcproxy.ranking.significance import behind_best
from zcproxy.ranking.table import TaskTable

HOSTILE = r"50%_of $x$ & \input{x} #1 ~^ {"
ALL = Typesetting((*HEADINGS,), caption="My proxies: 5% better", label="tab:mine_1")


def made(task: str = "family/task_1") -> TaskTable:
    """A table of proxies with more noise each, the last two much."""
    return simulated_table(task, {"good": 0.4, "near": 0.42, "bad": 2.0, HOSTILE: 30.0}, networks=100)


def checked(text: str) -> list[str]:
    """Return the commands and environments of a text; fails where braces, environments or modes do not close."""
    code = re.sub(r"(?<!\\)%.*|\\label\{[\w:./-]*\}", "", text)  # a label is not typeset
    tokens = re.findall(r"\\begin\{[a-z]+\}|\\end\{[a-z]+\}|\\[A-Za-z]+|\\.|[{}$&^_#~]", code)
    open_environments: list[str] = []
    depth, is_mathematics = 0, False
    for token in tokens:
        if token.startswith((r"\begin", r"\end")):
            name = token[token.index("{") + 1 : -1]
            if token.startswith(r"\begin"):
                open_environments.append(name)
            else:
                assert open_environments.pop() == name
        depth += (token == "{") - (token == "}")
        assert depth >= 0
        if token == "$":
            is_mathematics = not is_mathematics
        elif token in "^_":
            assert is_mathematics, token
        elif token == "#":
            pytest.fail("a parameter outside of a macro")
    assert depth == 0 and not open_environments and not is_mathematics
    return tokens


def grid(text: str) -> list[list[str]]:
    """Return the cells of the tabular, those over several columns repeated; fails where lines differ in length."""
    (columns, body), *others = re.findall(r"\\begin\{tabular\}\{([lcr]+)\}(.*?)\\end\{tabular\}", text, re.DOTALL)
    assert not others
    lines = []
    for line in body.split(r"\\" + "\n"):
        content = re.sub(r"\\(toprule|midrule|bottomrule|cmidrule\(lr\)\{\d+-\d+\})", "", line).strip()
        cells: list[str] = []
        for cell in re.split(r"(?<!\\)&", content) if content else []:
            wide = re.fullmatch(r"\\multicolumn\{(\d+)\}\{c\}\{(.*)\}", cell.strip())
            cells += [wide[2]] * int(wide[1]) if wide else [cell.strip()]
        if cells:
            assert len(cells) == len(columns), line
            lines.append(cells)
    return lines


@pytest.mark.parametrize("typesetting", [None, Typesetting(("spearman", "top10")), ALL])
@pytest.mark.parametrize("tasks", [("one/task_1",), ("one/a", "two/b%", "three/c")])
def test_every_line_has_a_cell_for_every_column(typesetting: Typesetting | None, tasks: tuple[str, ...]) -> None:
    tables = [made(task) for task in tasks]
    text = latex(tables, typesetting)
    checked(text)
    lines = grid(text)
    measures = 1 if typesetting is None else len(typesetting.measures)
    assert len(lines[0]) == 1 + measures * len(tasks)
    assert [line[0] for line in lines[1 if measures == 1 else 2 :]][:3] == ["good", "near", "bad"]
    assert "nan" not in text.lower()


def test_names_are_text() -> None:
    text = latex([made(HOSTILE)], Typesetting(caption=HOSTILE, label="a"))
    assert r"\input" not in re.sub(r"(?m)^%.*", "", text) and r"\textbackslash{}input\{x\}" in text
    assert len([token for token in checked(text) if token.startswith(r"\begin")]) == 2


def test_the_best_is_bold_and_what_may_be_as_good_is_marked() -> None:
    table = made()
    column = {line[0]: line[1] for line in grid(latex([table]))}
    best = table.ranked()[0]
    assert column[best.name].startswith(rf"\textbf{{{best.estimates['tau'].value:.3f}}} [")
    assert sum(r"\textbf" in cell for cell in column.values()) == 1
    marked = {name for name, cell in column.items() if r"\dagger" in cell}
    assert marked == {"good", "near"} - {best.name}
    assert marked == {name for name, each in behind_best(table).items() if not each.is_significant}


def test_least_regret_and_time_are_best() -> None:
    table = made()
    (regret, *_), (seconds, *_) = (
        [line[0] for line in grid(latex([table], Typesetting((name,)))) if r"\textbf" in line[1]]
        for name in ("regret", "seconds")
    )
    least = min(table.rows, key=lambda row: row.estimates["regret"].value).estimates["regret"].value
    assert {row.name: row for row in table.rows}[regret].estimates["regret"].value == least
    assert seconds == "good"


def test_measures_stand_below_their_task() -> None:
    lines = grid(latex([made("a"), made("b")], Typesetting(("spearman", "top10"))))
    assert lines[0] == ["", "a", "a", "b", "b"]
    assert lines[1][1:] == [HEADINGS["spearman"], HEADINGS["tau_top_decile"]] * 2
    assert not any("noise ceiling" in line[0] for line in lines)  # it is one of tau


def test_a_proxy_that_a_task_lacks_has_a_dash() -> None:
    first, second = made("a"), made("b")
    second = replace(second, rows=second.rows[:2])
    column = {line[0]: line[1:] for line in grid(latex([first, second]))}
    assert column["bad"][1] == "--" and column["good"][1] != "--"
    assert column["noise ceiling"] == ["0.900", "0.900"]


def test_negative_numbers_have_a_minus() -> None:
    table = made()
    worse = replace(table.rows[0], name="reversed", scores=-table.rows[0].scores)
    judged = judge(worse.scores[None], table.labels, table.labels, seed_names=("x",), resamples=50)
    text = latex([replace(table, rows=(*table.rows, replace(worse, estimates=judged.estimates)))])
    (cell,) = (line[1] for line in grid(text) if line[0] == "reversed")
    assert cell.startswith("$-$0.") and not re.search(r"(?<!\$)-(?!\$)", cell)


def test_a_caption_says_which_networks_and_what_the_marks_mean() -> None:
    text = latex([made()], Typesetting(caption="Mine", label="tab:mine"))
    (caption,) = re.findall(r"\\caption\{(.*)\}", text)
    assert caption.startswith(r"Mine. family/task\_1: 100 of all 500, seed 7, 1 initialisation. Best in bold.")
    assert "Holm" in caption and r"$p \geq 0.05$" in caption
    assert r"\label{tab:mine}" in text and text.index(r"\caption") < text.index(r"\label")
    assert r"\caption" not in latex([made()]) and r"\begin{table}" not in latex([made()])
    assert r"\caption{Rank correlation" in latex([made()], Typesetting(label="x"))
    assert "dagger" not in latex([made()], Typesetting(("spearman",), label="x")).partition(r"\begin")[2]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"measures": ("rho",)}, "unknown measure 'rho'"),
        ({"measures": ("top10", "tau_top_decile")}, "'tau_top_decile' is named twice"),
        ({"label": "a}b"}, "the label 'a}b' is not made of letters"),
    ],
)
def test_bad_settings_are_named(arguments: dict[str, object], part: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(part)):
        Typesetting(**arguments)  # type: ignore[arg-type]
