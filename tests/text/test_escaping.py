"""Names and paths from outside do nothing in the files that zcproxy writes."""

from __future__ import annotations

import ast
import csv
import io
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

import zcproxy.benchmarks
from zcproxy.export.network_source import export_network
from zcproxy.export.proxy_source import export_python
from zcproxy.names.spaces import get_space
from zcproxy.primitives import parse
from zcproxy.proxy.proxy import Proxy
from zcproxy.ranking.files import latex, markdown, write_table
from zcproxy.ranking.table import Plan, build_table
from zcproxy.text import escaping

Command = Callable[..., tuple[int, str, str]]

DIGITS = Path(zcproxy.benchmarks.__file__).with_name("digits201")
QUOTES = '"""\nimport os; os.system("touch PWNED")\n"""'
HOSTILE = [
    QUOTES,
    QUOTES.replace("\n", "\r"),
    QUOTES.replace("\n", "\u2028"),
    'ends in a quote"',
    "ends in a backslash\\",
    "\\N{DIGIT ONE} \\x00 \\u12",
    "nul \0, half \ud800, \x1b[2J, \u202e, \x85, \x0c",
    "\n\\end{tabular}\\input{/etc/passwd}",
    "| a | b |\n|---|---|\n<script>alert(1)</script> [x](javascript:alert(1)) ![](http://x)",
    "=cmd|' /C calc'!A0",
    "+1+cmd",
    "-1-cmd",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "$\\frac{$",
    "x" * 2000,
    "",
]
TEXT = st.one_of(st.text(max_size=60), st.sampled_from(HOSTILE))


@given(TEXT)
def test_a_text_stays_in_its_docstring_and_comment(text: str) -> None:
    source = f'"""{escaping.docstring(text)}\n"""\nx = 1  # {escaping.docstring(text)}\n'
    source.encode()
    tree = ast.parse(source)
    assert [type(node) for node in tree.body] == [ast.Expr, ast.Assign]
    assert (ast.get_docstring(tree) or "").strip() == escaping.docstring(text).strip()


@given(TEXT)
def test_a_text_stays_in_its_line_and_cell(text: str) -> None:
    for escape in (escaping.latex_comment, escaping.latex, escaping.markdown, escaping.csv_cell, escaping.docstring):
        found = escape(text)
        assert found.isprintable()
        assert not set("\n\r\0").intersection(found)
    assert not escaping.csv_cell(text).startswith(("=", "+", "-", "@"))
    unescaped = escaping.markdown(text).replace("\\\\", "")
    assert all(unescaped[place - 1] == "\\" for place, sign in enumerate(unescaped) if sign in "|`[]*!")
    assert not set("<>").intersection(unescaped)


@pytest.mark.parametrize("name", HOSTILE[:7])
def test_an_exported_proxy_is_nothing_but_itself(tmp_path: Path, name: str) -> None:
    formula = parse("sum(log(params))")
    plainly, hostile = (ast.parse(export_python(Proxy(formula, name=each))) for each in ("proxy", name))
    assert [ast.dump(node) for node in hostile.body[1:]] == [ast.dump(node) for node in plainly.body[1:]]


def test_an_exported_network_runs_nothing(tmp_path: Path) -> None:
    space = get_space("nasbench201", {"channels": 2, "cells": 1})
    for place, text in enumerate(HOSTILE):
        network = space.build(space.sample(Random(0)), (1, 8, 8), 3)
        source, _ = export_network(network, (1, 8, 8), f"{text} of {text}.", tmp_path / f"n{place}.py")
        tree = ast.parse(source.read_text(encoding="utf-8"))
        assert [type(node) for node in tree.body] == [ast.Expr, ast.Import, ast.ImportFrom, ast.ClassDef]
    network = space.build(space.sample(Random(0)), (1, 8, 8), 3)
    source, _ = export_network(network, (1, 8, 8), QUOTES, tmp_path / 'a"""b.py')
    subprocess.run([sys.executable, source.name], cwd=tmp_path, check=True)
    assert not (tmp_path / "PWNED").exists()


def test_csv_files_hold_no_formulas() -> None:
    texts = {"=arch": ["=1", "ok"], "arch": ["-1", "x"], "formula": ["-depth", "depth"]}
    table = pd.DataFrame({**texts, "tau": [-0.5, 1.0]})
    assert escaping.csv_frame(table).to_dict("list") == {
        "'=arch": ["'=1", "ok"],
        "arch": ["-1", "x"],
        "formula": ["-depth", "depth"],
        "tau": [-0.5, 1.0],
    }
    assert list(table) == ["=arch", "arch", "formula", "tau"]


def test_tables_with_hostile_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZCPROXY_CACHE", str(tmp_path / "cache"))
    names = [name for name in HOSTILE if name and len(name) < 1000]
    scorers = [Proxy(parse("sum(log(params))"), name=name) for name in names]
    table = build_table("digits201", scorers, Plan(networks=12, resamples=10))
    folder = tmp_path / "out"
    write_table(folder, [table])
    rows = list(csv.DictReader(io.StringIO((folder / "table.csv").read_text())))
    assert len(rows) == len(names) + 4
    for row in rows:
        assert not row["proxy"].startswith(("=", "+", "-", "@"))
    heads = next(csv.reader(io.StringIO((folder / "digits201-scores.csv").read_text())))
    assert not any(head.startswith(("=", "+", "-", "@")) for head in heads)
    lines = markdown([table]).splitlines()
    widths = {line.replace("\\|", "").count("|") for line in lines if line.startswith("|")}
    assert len(widths) == 1
    assert "<script" not in "\n".join(lines)
    assert sum(line.endswith(r"\\") for line in latex([table]).splitlines()) == len(names) + 5
    assert latex([table]).count(r"\end{tabular}") == 1
    assert np.isfinite([row.estimates["tau"].value for row in table.rows]).all()


def test_latex_of_a_folder_whose_name_has_line_breaks(run: Command, tmp_path: Path) -> None:
    folder = tmp_path / "b\n\\input{x}"
    shutil.copytree(DIGITS, folder)
    assert (
        run(
            "table",
            str(folder),
            "--proxies",
            "params",
            "--networks",
            "20",
            "--resamples",
            "9",
            "--workers",
            "1",
            "--out",
            "t",
        )[0]
        == 0
    )
    lines = (tmp_path / "t" / "table.tex").read_text().splitlines()
    head = lines[: next(place for place, line in enumerate(lines) if line.startswith(r"\begin{tabular}"))]
    assert "input" in head[0] and all(line.startswith("%") for line in head)
    small = ("--evaluations", "4", "--population", "4", "--workers", "1", "--out", "s")
    assert run("search", str(folder), "--proxy", "sum(params)", *small)[0] == 0
    assert run("network", "export", "s", "--out", "n.py")[0] == 0
    ast.parse((tmp_path / "n.py").read_text())
