"""Tables of published proxies as their authors measure them."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from zcproxy.names.scorers import resolve_scorers
from zcproxy.ranking.files import frame, markdown
from zcproxy.ranking.layout import notes
from zcproxy.ranking.scoring import score_networks
from zcproxy.ranking.settings import settings_text
from zcproxy.ranking.table import Plan, build_table

Command = Callable[..., tuple[int, str, str]]
TASK = "digits201"
NAMED = "meco,eznas_a,log_synflow,mine=sum(l1_norm(weight)),both=ranks(meco, depth),flops"


def test_every_row_says_what_it_was_measured_with(tmp_path: Path) -> None:
    found = {scorer.name: settings_text(scorer) for scorer in resolve_scorers(NAMED, "authors")}
    assert found == {
        "meco": "authors: 1",
        "eznas_a": "authors: 16, kaiming_normal_fan_out",
        "log_synflow": "common: 16",
        "mine": "common: 8",
        "both": "authors: 1",
        "flops": "",
    }
    (vkdnw,) = resolve_scorers("vkdnw_entropy", "authors")
    assert settings_text(vkdnw) == "authors: 64, kaiming_normal_fan_in, evaluation mode"
    (aggregate,) = resolve_scorers("te_nas", "authors")
    assert settings_text(aggregate) == "authors: 72, kaiming_normal_fan_out; common: 16"
    assert settings_text(resolve_scorers("meco")[0], 4) == "common: 4"


def test_a_table_measures_each_proxy_with_its_settings(tmp_path: Path) -> None:
    scorers = resolve_scorers(NAMED, "authors")
    table = build_table(TASK, scorers, Plan(networks=12, resamples=20), cache=tmp_path)
    for scorer in scorers[:-1]:
        alone = score_networks([scorer], TASK, table.architectures, population="", cache=tmp_path / scorer.name)
        (row,) = (row for row in table.rows if row.name == scorer.name)
        np.testing.assert_array_equal(row.scores, alone.scores[scorer.name])
    common = build_table(TASK, resolve_scorers(NAMED), Plan(networks=12, resamples=20), cache=tmp_path)
    differing = [
        row.name
        for row, other in zip(table.rows, common.rows, strict=True)
        if not np.array_equal(row.scores, other.scores, equal_nan=True)
    ]
    assert {"meco", "eznas_a"} <= set(differing) <= {"meco", "eznas_a", "both"}
    said = " ".join(notes(table))
    assert "those of the authors' code" in said and "meco: one image" in said
    assert "No authors' settings are known, or can be used here, for log_synflow." in said
    assert not any("authors" in note for note in notes(common))
    assert "authors' settings" in markdown([table]) and "authors: 16, kaiming_normal_fan_out" in markdown([table])
    assert set(frame([table])["settings"]) == {row.settings for row in table.rows} | {np.nan} or table.ceiling is None


def test_the_command_writes_the_settings(run: Command, tmp_path: Path) -> None:
    words = ("--networks", "12", "--resamples", "20", "--workers", "1", "--proxies", "meco,depth")
    code, out, _ = run("table", TASK, "--settings", "authors", "--out", "out", *words)
    assert code == 0 and "authors: 1" in out
    rows = {row["proxy"]: row for row in csv.DictReader((tmp_path / "out/table.csv").read_text().splitlines())}
    assert (rows["meco"]["settings"], rows["depth"]["settings"]) == ("authors: 1", "")
    code, _, _ = run("score", "meco", TASK, "--settings", "authors", "--networks", "12", "--workers", "1")
    assert code == 0


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("table", TASK, "--settings", "authors", "--batch-size", "8"), "--batch-size 8 with --settings authors"),
        (("table", TASK, "--settings", "paper"), "unknown settings 'paper': write one of common, authors"),
        (("score", "meco", TASK, "--settings", "paper"), "unknown settings 'paper': write one of common, authors"),
        (
            ("score", "meco", "--settings", "authors", "--model", "own:net", "--input", "3x8x8"),
            "--settings authors with --model",
        ),
    ],
)
def test_what_does_not_go_together_is_one_line(run: Command, arguments: tuple[str, ...], part: str) -> None:
    code, out, error = run(*arguments)
    assert (code, out, len(error.strip().splitlines())) == (2, "", 1)
    assert part in error
