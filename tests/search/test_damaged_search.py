"""A search whose directory was damaged, edited, left half-begun, shared or extended."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from corruptions import ALL, OF_LINES

from zcproxy.errors import ConfigurationError, RunError, ZcproxyError
from zcproxy.search import SearchConfiguration, Setting, search
from zcproxy.search.directory import CONFIGURATION, FRONT, JOURNAL, SearchDirectory
from zcproxy.storage.claims import claimed

from .conftest import Tiny

Run = Callable[..., tuple[int, str, str]]
SMALL = SearchConfiguration(
    Setting("tests.search.conftest:Tiny", formula="total_params"), ("proxy",), ("macs",), evaluations=12, population=4
)


def values(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns="seconds")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    path = tmp_path_factory.mktemp("search") / "whole"
    return path, values(search(SMALL, path, subject=Tiny()).table)


@pytest.mark.parametrize("seed", range(30))
def test_damage_is_measured_again_or_named(
    whole: tuple[Path, pd.DataFrame], tmp_path: Path, tiny: Tiny, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    out = tmp_path / "run"
    shutil.copytree(whole[0], out)
    rng = random.Random(seed)
    path = out / rng.choice([JOURNAL, JOURNAL, CONFIGURATION])
    path.write_bytes(rng.choice(OF_LINES if path.name == JOURNAL else ALL)(path.read_bytes(), rng))
    refused = ""
    try:
        again = search(SMALL, out, subject=tiny)
        pd.testing.assert_frame_equal(values(again.table), whole[1])
    except ZcproxyError as error:
        refused = str(error)
    assert (not refused) or (path.name == CONFIGURATION in refused and "\n" not in refused and len(refused) < 500)
    assert len(caplog.records) <= 1


def test_a_measured_value_that_was_changed_is_not_used(
    whole: tuple[Path, pd.DataFrame], tmp_path: Path, tiny: Tiny, caplog: pytest.LogCaptureFixture
) -> None:
    out = tmp_path / "run"
    shutil.copytree(whole[0], out)
    lines = (out / JOURNAL).read_text().splitlines()
    digit = next(place for place, character in enumerate(lines[3]) if character in "12345678")
    lines[3] = lines[3][:digit] + "9" + lines[3][digit + 1 :]
    (out / JOURNAL).write_text("\n".join(lines) + "\n")
    again = search(SMALL, out, subject=tiny)
    pd.testing.assert_frame_equal(values(again.table), whole[1])
    assert again.measuring_seconds > 0
    (record,) = caplog.records
    assert "1 damaged or repeated line(s) left out; what they held is measured again" in record.getMessage()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"setting": 5}, "5 where an object is expected in 'setting'"),
        ({"setting": {"reference": 5}}, "'setting.reference' is 5, not text"),
        ({"setting": {"reference": "tiny", "input_shape": 3}}, "'setting.input_shape' is 3, not a list"),
        ({"setting": {"reference": "tiny", "recipe": {"epochs": "1"}}}, "'setting.recipe.epochs' is \"1\""),
        ({"maximized": "proxy"}, "'maximized' is \"proxy\", not a list"),
        ({"limits": [5]}, r"5 where an object is expected in 'limits\[0\]'"),
        ({"limits": [{"name": "macs", "bound": None}]}, r"'limits\[0\].bound' is null"),
        ({"evaluations": 1e30}, "'evaluations' is 1e[+]30, not a whole number"),
        ({"population": 0}, "population=0"),
        ({"algorithm": "anneal"}, "anneal"),
        ({"colour": "red"}, 'unknown field "colour"'),
    ],
)
def test_a_stored_search_of_any_shape_is_named_with_the_field(
    run: Run, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    SearchDirectory(tmp_path / "run").create(SMALL)
    path = tmp_path / "run" / CONFIGURATION
    content = json.loads(path.read_text())
    del content["sum"]
    path.write_text(json.dumps({**content, **change}))
    with pytest.raises(ConfigurationError, match=f"search.json: .*{message}"):
        SearchDirectory(tmp_path / "run").configuration()
    code, _, shown = run("search", "--resume", "run")
    assert code == 2 and len(shown.splitlines()) == 1


def test_an_extended_search_equals_one_that_had_the_budget_from_the_start(tmp_path: Path, tiny: Tiny) -> None:
    more = replace(SMALL, evaluations=22)
    expected = values(search(more, tmp_path / "whole", subject=tiny).table)
    search(replace(SMALL, evaluations=10), tmp_path / "run", subject=tiny)
    pd.testing.assert_frame_equal(values(search(more, tmp_path / "run", subject=tiny).table), expected)


def test_resuming_extends_or_refuses(run: Run, tmp_path: Path) -> None:
    options = ["--proxy", "total_params", "--evaluations", "6", "--population", "4", "--workers", "1"]
    code, _, shown = run("search", "digits201", *options, "--out", "s")
    assert code == 0, shown
    code, shown, error = run("search", "--resume", "s", "--evaluations", "8", "--workers", "1")
    assert code == 0 and "of 8 architectures" in shown, error
    assert SearchDirectory(tmp_path / "s").configuration().evaluations == 8
    before = {path.name: path.read_bytes() for path in (tmp_path / "s").iterdir()}
    for given, message in (
        (["--evaluations", "5"], "--evaluations 5 does not extend the search, which has 8"),
        (["--evaluations", "9", "--proxy", "nonsense((("], "leave --proxy out; --evaluations may be given"),
        (["digits201"], "leave the subject out"),
        (["--limit", "macs=3M", "--device", "cpu"], "leave --limit, --device out"),
    ):
        code, _, shown = run("search", "--resume", "s", *given)
        assert code == 2 and message in shown and len(shown.splitlines()) == 1
    with claimed(tmp_path / "s"):
        code, _, shown = run("search", "--resume", "s", "--workers", "1")
    assert code == 2 and "another zcproxy process works in s" in shown
    assert {path.name: path.read_bytes() for path in (tmp_path / "s").iterdir()} == before


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("arch,", "network,", 1),
        lambda text: text.replace("first=", "first=1", 1),
        lambda text: "".join(text.splitlines(keepends=True)[:1] + text.splitlines(keepends=True)[2:]),
        lambda text: text.splitlines()[0],
        lambda text: "",
    ],
)
def test_a_damaged_front_is_not_exported(
    whole: tuple[Path, pd.DataFrame], run: Run, tmp_path: Path, change: Callable[[str], str]
) -> None:
    shutil.copytree(whole[0], tmp_path / "run")
    path = tmp_path / "run" / FRONT
    allowed = ("--allow-code", "tests.search.conftest:Tiny")
    code, _, shown = run("network", "export", "run", *allowed, "--out", "best.py")
    assert code == 0, shown
    path.write_text(change(path.read_text()))
    code, _, shown = run("network", "export", "run", *allowed, "--out", "again.py")
    assert code == 2 and not Path("again.py").exists()
    assert "front.csv is not as the search wrote it" in shown and len(shown.splitlines()) == 1


def test_what_a_killed_first_write_left_is_taken_over(tmp_path: Path, tiny: Tiny) -> None:
    path = tmp_path / "run"
    path.mkdir()
    (path / ".search.json.1.partial").write_text("{")
    with pytest.raises(RunError, match=r"holds no search: it has no search\.json; out=.* begins one there"):
        SearchDirectory(path).configuration()
    search(replace(SMALL, evaluations=4), path, subject=tiny)
    assert not list(path.glob(".*"))
