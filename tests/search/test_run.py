"""Whole searches: determinism, resuming, what they write, and what they refuse."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from torch import nn

from zcproxy.contracts.choice_space import Option
from zcproxy.errors import BenchmarkError, ConfigurationError, ModelError, RunError
from zcproxy.names.tasks import get_task
from zcproxy.search import Limit, Quantisation, SearchConfiguration, Setting, resume, search
from zcproxy.search.directory import EVALUATIONS, FIGURE, FRONT, JOURNAL, SearchDirectory

from .conftest import Tiny

SCORE = "sum(log(frobenius_norm(grad(weight)@noise))) + 0.001 * total_params"
SMALL = SearchConfiguration(
    Setting("tests.search.conftest:Tiny", formula=SCORE),
    ("proxy",),
    ("macs",),
    evaluations=24,
    population=8,
)

PROGRAM = """
import sys
from pathlib import Path
from zcproxy.search import resume
if __name__ == "__main__":
    resume(Path(sys.argv[1]))
"""


def test_two_workers_and_an_interruption_change_nothing(tmp_path: Path) -> None:
    one = search(SMALL, tmp_path / "one").table.drop(columns="seconds")
    two = search(SMALL, tmp_path / "two", workers=2).table.drop(columns="seconds")
    pd.testing.assert_frame_equal(one, two)
    journal = (tmp_path / "one" / JOURNAL).read_text().splitlines()
    broken = tmp_path / "broken"
    SearchDirectory(broken).create(SMALL)
    (broken / JOURNAL).write_text("\n".join(journal[:11]) + "\n" + journal[11][:9])
    again = resume(broken).table.drop(columns="seconds")
    pd.testing.assert_frame_equal(one, again)
    assert sorted((broken / JOURNAL).read_text().splitlines()[:11]) == sorted(journal[:11])


def test_a_killed_search_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "killed"
    SearchDirectory(out).create(replace(SMALL, evaluations=40))
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(out)], env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    )
    while process.poll() is None and not ((out / JOURNAL).exists() and (out / JOURNAL).stat().st_size > 2000):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (out / EVALUATIONS).exists()
    found = resume(out).table.drop(columns="seconds")
    pd.testing.assert_frame_equal(
        found, search(replace(SMALL, evaluations=40), tmp_path / "whole").table.drop(columns="seconds")
    )


def test_what_another_search_measured_is_not_measured_again(tmp_path: Path) -> None:
    def journal(name: str) -> list[str]:
        return (tmp_path / name / JOURNAL).read_text().splitlines()

    first = search(SMALL, tmp_path / "first").table
    again = search(SMALL, tmp_path / "again", reuse=[tmp_path / "first"])
    pd.testing.assert_frame_equal(first, again.table)
    assert again.measuring_seconds == 0.0
    assert sorted(journal("again")) == sorted(journal("first"))
    other_proxy = replace(SMALL, setting=replace(SMALL.setting, formula="total_params"))
    search(other_proxy, tmp_path / "other proxy", reuse=[tmp_path / "first"])
    assert "proxy" not in json.loads(journal("other proxy")[0])["values"], "another proxy's scores were taken over"
    table = pd.read_parquet(tmp_path / "other proxy" / EVALUATIONS)
    pd.testing.assert_series_equal(
        table["proxy"], search(other_proxy, tmp_path / "alone").table["proxy"], check_exact=True
    )
    with pytest.raises(ConfigurationError, match="first measured with initialisation = 0, not 1: leave it out"):
        search(
            replace(SMALL, setting=replace(SMALL.setting, initialisation=1)),
            tmp_path / "elsewhere",
            reuse=[tmp_path / "first"],
        )
    assert not (tmp_path / "elsewhere").exists()


def test_the_tables_hold_what_was_asked_for(tmp_path: Path, tiny: Tiny) -> None:
    result = search(SMALL, tmp_path / "run", subject=tiny)
    table = pd.read_parquet(tmp_path / "run" / EVALUATIONS)
    assert list(table) == ["arch", "proxy", "macs", "seconds"]
    assert len(table) == len(set(table["arch"])) == 24
    assert (table["seconds"] > 0).all()
    front = pd.read_csv(tmp_path / "run" / FRONT)
    for row in front.itertuples():
        better = (table["proxy"] >= row.proxy) & (table["macs"] <= row.macs)
        assert ((table["proxy"] == row.proxy) & (table["macs"] == row.macs))[better].all()
    assert (tmp_path / "run" / FIGURE).read_bytes().startswith(b"\x89PNG")
    assert 0.0 < result.measuring_seconds <= result.total_seconds


@pytest.mark.parametrize("algorithm", ["nsga2", "linas", "local", "regularised-evolution"])
def test_measured_accuracies_are_searched_with_a_proxy_as_guide(tmp_path: Path, tiny: Tiny, algorithm: str) -> None:
    configuration = replace(
        SMALL,
        maximized=("accuracy",),
        minimized=(),
        algorithm=algorithm,
        warm_start=16,
        inner_evaluations=30,
        limits=(Limit("params", 400.0),),
    )
    result = search(configuration, tmp_path / "run", subject=tiny)
    assert list(result.table) == ["arch", "accuracy", "params", "seconds"]
    assert result.front["accuracy"].iloc[0] >= 66.0  # of at most 70, where the parameters allow 69
    assert result.front["params"].iloc[0] <= 400


def test_linas_predicts_what_is_dear() -> None:
    measured = replace(SMALL, maximized=("accuracy",), algorithm="linas")
    assert (measured.predicted, measured.hints) == (("accuracy",), ("macs", "proxy"))
    scored = replace(SMALL, algorithm="linas")
    assert (scored.predicted, scored.hints) == (("proxy", "macs"), ())


def test_the_optimum_of_a_benchmark_is_found(tmp_path: Path) -> None:
    task = get_task("digits201")
    known = task.labels(task.architectures("all"))
    configuration = SearchConfiguration(
        Setting("digits201"), ("accuracy",), algorithm="random", evaluations=300, population=50, limits=()
    )
    result = search(configuration, tmp_path / "run")
    assert result.undefined > 0, "most cells have no label"
    assert result.front["accuracy"].iloc[0] <= known.max()
    labelled = result.table.dropna()
    assert np.array_equal(labelled["accuracy"], task.labels(labelled["arch"].tolist()))


def test_bounds_that_nothing_meets_say_how_close_one_comes(tmp_path: Path, tiny: Tiny) -> None:
    configuration = replace(SMALL, limits=(Limit("macs", 10.0),))
    with pytest.raises(
        BenchmarkError, match=r"none of the 24 .* has macs at most 10: the closest, first=\d .* has macs"
    ):
        search(configuration, tmp_path / "run", subject=tiny)
    assert len(pd.read_parquet(tmp_path / "run" / EVALUATIONS)) == 24


class Partly(Tiny):
    """Fails for an even width."""

    def sub_network(self, choice: Mapping[str, Option]) -> nn.Module:
        network = super().sub_network(choice)
        return network if int(choice["first"]) % 2 else nn.Sequential(network, nn.Linear(7, 7))


def test_networks_that_a_proxy_fails_on_rank_worst(tmp_path: Path) -> None:
    result = search(replace(SMALL, minimized=()), tmp_path / "run", subject=Partly())
    assert 0 < result.undefined < 24
    assert len(result.front) == 1
    assert "first=3" in result.front["arch"].iloc[0] or "first=5" in result.front["arch"].iloc[0]


def test_a_proxy_that_fails_everywhere_is_an_error(tmp_path: Path, tiny: Tiny) -> None:
    configuration = replace(SMALL, setting=replace(SMALL.setting, formula="log(0 - total_params)"))
    with pytest.raises(ModelError, match="'proxy' is undefined for all 8 architectures evaluated first"):
        search(configuration, tmp_path / "run", subject=tiny)


def test_a_directory_of_another_search_is_refused(tmp_path: Path, tiny: Tiny) -> None:
    search(SMALL, tmp_path / "run", subject=tiny)
    more = search(replace(SMALL, evaluations=30), tmp_path / "run", subject=tiny)
    assert len(more.table) == 30, "a larger budget goes on"
    with pytest.raises(RunError, match="holds a search with seed = 0, not 1"):
        search(replace(SMALL, seed=1), tmp_path / "run", subject=tiny)
    rounded = replace(SMALL.setting, quantisation=Quantisation((4, 8)))
    with pytest.raises(RunError, match=r"holds a search with quantize = none, not \(4, 8\)"):
        search(replace(SMALL, setting=rounded), tmp_path / "run", subject=tiny)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    with pytest.raises(RunError, match="exists and holds no search"):
        search(SMALL, tmp_path / "other", subject=tiny)
    with pytest.raises(RunError, match="holds no search"):
        resume(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"evaluations": 3}, "at least as many evaluations"),
        ({"setting": Setting("tiny")}, "needs a proxy"),
        ({"warm_start": 2}, "`warm_start` needs"),
        ({"inner_evaluations": 2}, "less than a population"),
        ({"algorithm": "local"}, "takes one objective"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        replace(SMALL, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("latency_ms:phone", "nothing measures 'latency_ms:phone'"),
        ("mac", r"did you mean macs"),
    ],
)
def test_a_quantity_that_nothing_measures_is_refused(tmp_path: Path, tiny: Tiny, name: str, message: str) -> None:
    with pytest.raises(BenchmarkError, match=message):
        search(replace(SMALL, minimized=(name,)), tmp_path / "run", subject=tiny)
    assert not (tmp_path / "run").exists()


def test_an_architecture_outside_the_space_is_refused(tmp_path: Path, tiny: Tiny) -> None:
    with pytest.raises(BenchmarkError, match="is not an architecture of tiny"):
        search(replace(SMALL, start_from=("first=99 second=2 kernel=1",)), tmp_path / "run", subject=tiny)


def test_a_configuration_survives_its_file(tmp_path: Path) -> None:
    configuration = replace(SMALL, limits=(Limit("macs", 1e6),), start_from=("a", "b"))
    SearchDirectory(tmp_path / "run").create(configuration)
    assert SearchDirectory(tmp_path / "run").configuration() == configuration
