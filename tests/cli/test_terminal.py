"""What the terminal gets of names, paths and texts of files: every character shown, none obeyed."""

from __future__ import annotations

import io
import json
import pickle
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from rich.progress import Progress, TextColumn
from rich.table import Table
from rich.text import Text

from zcproxy.cli import app as cli, display
from zcproxy.cli.terminal import PlainConsole
from zcproxy.errors import FormulaError, ProxyFileError, ZcproxyError
from zcproxy.primitives import parse
from zcproxy.text.visible import one_line, shortened, visible

Command = Callable[..., tuple[int, str, str]]

HOSTILE = (
    "\x1b[2J\x1b]0;title\x07\x9b31m\x7f\u202e\u2066\u200b\ufeff\u2028\u2029\x85\r\x00\t\n\ud800[red]a[/red][/x]:smile:"
)


def is_plain(text: str) -> bool:
    return all(character == "\n" or unicodedata.category(character)[0] != "C" for character in text) and not (
        set(text) & {"\u2028", "\u2029"}
    )


def rendered(*items: object) -> str:
    """Return what a console that takes its file for a terminal writes, without rich's own codes of colour."""
    file = io.StringIO()
    PlainConsole(file=file, width=400, force_terminal=True, color_system=None).print(*items, style="red")
    return file.getvalue()


# Texts


@pytest.mark.parametrize("character", [chr(number) for number in range(0x20)] + list("\x7f\x80\x9b\u202a\u2069\u200d"))
def test_what_has_no_sign_of_its_own_is_escaped(character: str) -> None:
    assert visible(f"a{character}b") == f"a{character.encode('unicode_escape').decode()}b"


@given(st.text(st.characters()))
def test_what_is_shown_is_plain_and_shown_again_the_same(text: str) -> None:
    assert is_plain(visible(text)) and "\n" not in visible(text)
    assert visible(visible(text)) == visible(text)
    line = one_line(text)
    assert is_plain(line) and len(line.splitlines()) <= 1 and len(line) <= 480
    assert one_line(line) == line


def test_ordinary_text_is_left_alone() -> None:
    text = "proxies/ä [red] 模型 — π² ☃.json"
    assert visible(text) == one_line(text) == shortened(text, 80) == text


@given(st.text(), st.integers(20, 60))
def test_a_shortened_text_keeps_both_ends(text: str, length: int) -> None:
    short = shortened(text, length)
    assert len(short) <= length
    assert short == text or (short.startswith(text[:7]) and short.endswith(text[-7:]) and " ... " in short)


# The console


def test_strings_cells_titles_and_rich_text_are_shown_as_they_are() -> None:
    table = Table(title=HOSTILE, caption=HOSTILE)
    table.add_column(HOSTILE)
    table.add_row(HOSTILE)
    table.add_row(Text(HOSTILE))
    for item in (HOSTILE, table, Text(HOSTILE), [HOSTILE]):
        shown = rendered(item)
        assert is_plain(shown)
        assert "[red]a[/red][/x]:smile:" in shown and r"\x1b[2J" in shown
    assert "━" in rendered(table)


def test_progress_shows_descriptions_as_they_are() -> None:
    file = io.StringIO()
    console = PlainConsole(file=file, width=300, color_system=None)
    with Progress(TextColumn("{task.description}", markup=False), console=console) as progress:
        progress.add_task(HOSTILE, total=1)
    assert is_plain(file.getvalue()) and "[red]a[/red][/x]" in file.getvalue()


def test_the_observer_of_a_run_shows_hostile_names(capsys: pytest.CaptureFixture[str]) -> None:
    with display.RunDisplay() as observer:
        observer.step(HOSTILE, 0, 2)
        observer.step(HOSTILE, 2, 2)
        observer.saying(HOSTILE)
    err = capsys.readouterr().err
    assert is_plain(err) and r"\x1b]0;title\x07" in err


def test_our_own_lines_stay_lines() -> None:
    assert rendered(Text("a\nb")) == "a\nb\n"
    file = io.StringIO()
    PlainConsole(file=file).print("a", "b\nc", sep="\n")
    assert file.getvalue() == "a\nb\\nc\n"


# Errors


@pytest.mark.parametrize("kind", [ZcproxyError, FormulaError, ProxyFileError])
def test_messages_are_one_short_line_wherever_they_are_seen(kind: type[ZcproxyError]) -> None:
    error = kind(f"cannot read {HOSTILE}{'x' * 10_000_000}: choose another file")
    message = str(error)
    assert len(message) < 500 and is_plain(message) and "\n" not in message
    assert message.startswith("cannot read \\x1b[2J") and message.endswith(": choose another file")
    assert str(kind(f"a.json: {error}")).endswith(": choose another file")
    assert str(pickle.loads(pickle.dumps(error))) == message


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("sum(params) + " * 3000 + "% 1", ["position 42001", "near", "sum(params) + % 1"]),
        ("sum(params) + " * 3000 + ")", ["found ')'", "position 42001", "near"]),
        ("a" * 1_000_000, ["unknown name 'aaa", " ... "]),
        ("a" * 1_000_000 + "(depth)", ["unknown primitive 'aaa"]),
        ("depth " + "b" * 1_000_000, ["but found 'bbb", "position 7"]),
        ("minimum(" + "depth, " * 3000 + "depth)", ["'minimum' does not take (Network", "-> Weights"]),
        ("9" * 1_000_000, ["the number 999", "is too large"]),
        ("weight@" + "c" * 1_000_000, ["unknown name 'weight@ccc"]),
        ("", ["it is empty"]),
        (" \n\t", ["it is empty"]),
    ],
)
def test_formula_errors_show_the_neighbourhood_of_the_fault(text: str, parts: list[str]) -> None:
    with pytest.raises(FormulaError) as raised:
        parse(text)
    message = str(raised.value)
    assert len(message) < 500 and len(message.splitlines()) == 1
    for part in parts:
        assert part in message


# The command line


def one_error(result: tuple[int, str, str], *parts: str) -> None:
    code, out, err = result
    assert (code, out) == (2, "")
    assert err.startswith("zcproxy: ") and err.count("\n") == 1 and len(err) <= 500 and is_plain(err)
    for part in parts:
        assert part in err


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["score", "--networks", "x" * 10_000], ["'--networks'", "zcproxy score --help"]),
        (["score", "--networks", "[/x]\x1b[2J"], ["'--networks'"]),
        (["score", "--" + "y" * 10_000], ["No such option: --yyy"]),
        (["x" * 10_000], ["No such command 'xxx"]),
        (["\x1b[2J[/x]"], [r"\x1b[2J[/x]"]),
        (["proxy", "show", "a", "[/x]" * 1000], ["[/x]", "zcproxy proxy show --help"]),
        (["proxy", "show"], ["Missing argument 'PROXY'"]),
        (["evolve", "--workers", "0"], ["'--workers'"]),
        (["evolve", "\x1b]0;t\x07" * 200], ["unknown task"]),
        (["evolve", "--probes", "\u202e" * 1000], ["unknown probe"]),
        (["table", "--proxies", "[/x].json"], ["cannot read the proxy file [/x].json"]),
        (["search", "\x9b" * 1000, "--proxy", "params"], [r"\x9b"]),
        (["proxy", "show", "a\nb.json"], ["a b.json"]),
        (["proxy", "show", "+".join(["depth"] * 20_000) + "+"], ["found end of the formula", "near"]),
    ],
)
def test_errors_of_the_command_line(run: Command, arguments: list[str], parts: list[str]) -> None:
    one_error(run(*arguments), *parts)


@pytest.mark.parametrize("text", ["", " "])
def test_an_empty_proxy_is_not_the_default_one(run: Command, text: str) -> None:
    one_error(run("score", text, "digits201"), "empty proxy")
    one_error(run("proxy", "show", text), "empty proxy")
    one_error(run("search", "digits201", "--proxy", text, "--evaluations", "4"), "empty proxy")
    one_error(run("score", text))


def test_help_is_shown_as_ever(run: Command) -> None:
    code, out, err = run("--help")
    assert code == 0 and "evolve" in out
    code, out, err = run()
    assert code in (0, 2) and "evolve" in out + err and "zcproxy:" not in err


@pytest.mark.parametrize("name", ["[/x].py", "out[red].py", "[bold]", "a\x1b[2Jb.py", ":smile:.py", "\udcff.py"])
def test_paths_are_shown_as_they_are(run: Command, tmp_path: Path, name: str) -> None:
    code, _, err = run("proxy", "export", "params", "--out", name)
    assert code == 0 and (tmp_path / name).is_file()
    assert f"written: {visible(name)}" in err and is_plain(err)


def test_a_proxy_of_hostile_name_is_shown_and_scores(run: Command, tmp_path: Path) -> None:
    name = HOSTILE.replace("\ud800", "")
    item = {"task": name, "population": name, "tau": 0.5}
    content = {"format": 1, "formula": "sum(params)", "name": name, "description": name, "correlations": [item]}
    (tmp_path / "p.json").write_text(json.dumps(content))
    for arguments in (
        ("proxy", "show", "p.json"),
        ("score", "p.json", "digits201", "--networks", "6", "--workers", "1"),
        ("table", "digits201", "--proxies", "p.json", "--networks", "6", "--workers", "1"),
    ):
        code, out, err = run(*arguments)
        assert code == 0 and is_plain(out) and is_plain(err)
        assert r"\x1b[2J\x1b]0;title\x07" in (err if arguments[0] == "proxy" else out)


def test_standard_output_that_knows_few_characters_loses_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    monkeypatch.setattr(sys, "argv", ["zcproxy", "proxy", "export", "params"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    sys.stdout.flush()
    assert not stopped.value.code and b"def score(" in raw.getvalue()
