"""The command on a page makes the same run again."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from zcproxy.evolve import Configuration, Limits
from zcproxy.evolve.directory import RunDirectory
from zcproxy.reporting.reproduction import reproduction
from zcproxy.reporting.search_reproduction import search_reproduction
from zcproxy.search import SearchConfiguration, Setting, combined
from zcproxy.search.directory import SearchDirectory
from zcproxy.search.goals import parse_limit
from zcproxy.training.recipe import Recipe

Run = Callable[..., tuple[int, str, str]]
BEGUN = (
    ("digits201", "--networks", "16", "--test-networks", "4", "--probes", "noise", "--seed", "3"),
    (
        *(
            "digits201",
            "--networks",
            "16",
            "--test-networks",
            "4",
            "--probes",
            "noise,ones",
            "--cases",
            "bands,partial",
        ),
        *("--without", "exp,tanh", "--start-from", "synflow,sum(log(params)) - 2", "--resampled", "0.75"),
        *("--selection", "lexicase", "--mutation", "mutShrink,ours", "--sample-seed", "5", "--new-columns", "0"),
        *("--maximum-size", "40"),
    ),
    (
        *("--families", "digits-vit", "--hold-out", "digits201", "--networks", "16", "--test-networks", "4"),
        *("--probes", "ones", "--invariance", "batch"),
    ),
)


@pytest.mark.parametrize("options", BEGUN)
def test_the_command_of_a_page_begins_the_same_run(run: Run, options: tuple[str, ...]) -> None:
    code, _, shown = run("evolve", *options, "--generations", "1", "--workers", "1", "--out", "first")
    assert code == 0, shown
    known = RunDirectory(Path("first"))
    again = reproduction(known.configuration(), known.limits(), "second run")
    assert again.is_command and not again.note
    program, *arguments = shlex.split(again.text)
    assert program == "zcproxy"
    code, _, shown = run(*arguments, "--workers", "1")
    assert code == 0, shown
    second = RunDirectory(Path("second run"))
    assert (second.configuration(), second.limits()) == (known.configuration(), known.limits())


def test_what_no_option_has_is_a_program(tmp_path: Path) -> None:
    configuration = Configuration(("digits201",), island_size=20, validation_share=0.5, start_from=("log_paths",))
    limits = Limits(seconds=90.0, generations=4)
    again = reproduction(configuration, limits, "it's")
    assert not again.is_command and "depends on the machine" in again.note
    made: dict[str, object] = {}
    text = again.text.replace("evolve(configuration", "made.update(given=(configuration").replace(
        'Path("it\'s"))', 'Path("it\'s")))'
    )
    exec(text, {"made": made})  # noqa: S102  # the program is the project's own
    assert made["given"] == (configuration, limits, Path("it's"))


def test_a_time_is_a_budget_that_depends_on_the_machine() -> None:
    again = reproduction(Configuration(("digits201",)), Limits(seconds=90.0), "second")
    assert again.text == "zcproxy evolve digits201 --budget 90s --out second"
    assert "same number of generations" in again.note


SEARCHED = (
    ("digits201", "--proxy", "sum(log(params))", "--minimize", "macs", "--limit", "params=60k", "--seed", "4"),
    (
        *("nats_sss", "--input", "3x16x16", "--maximize", "proxy", "--proxy", "total_params", "--minimize", "macs"),
        *("--algorithm", "unsga3", "--classes", "4", "--warm-start", "12", "--initialisation", "2", "--epochs", "5"),
    ),
)


@pytest.mark.parametrize("options", SEARCHED)
def test_the_command_of_a_page_begins_the_same_search(run: Run, options: tuple[str, ...]) -> None:
    sizes = ("--evaluations", "12", "--population", "6", "--workers", "1")
    code, _, shown = run("search", *options, *sizes, "--out", "first")
    assert code == 0, shown
    known = SearchDirectory(Path("first")).configuration()
    again = search_reproduction(known, "second run")
    assert again.is_command
    program, *arguments = shlex.split(again.text)
    assert program == "zcproxy"
    code, _, shown = run(*arguments, "--workers", "1")
    assert code == 0, shown
    assert SearchDirectory(Path("second run")).configuration() == known


BOUND = (parse_limit("macs=3M"),)


@pytest.mark.parametrize(
    "configuration",
    [
        SearchConfiguration(
            Setting("digits201", formula="total_params", proxy_batch_size=3, recipe=Recipe(epochs=2)),
            ("proxy",),
            ("macs",),
            BOUND,
            evaluations=40,
            population=8,
        ),
        SearchConfiguration(
            Setting("digits201", proxies=combined("snip,ranks(synflow, total_macs)")),
            ("accuracy",),
            limits=BOUND,
            algorithm="robot",
            evaluations=8,
            population=8,
        ),
    ],
)
def test_a_search_that_no_option_describes_is_a_program(configuration: SearchConfiguration) -> None:
    again = search_reproduction(configuration, "second")
    made: dict[str, object] = {}
    exec(again.text.replace("search(configuration, ", "made.update(given=configuration, out="), {"made": made})  # noqa: S102
    assert made == {"given": configuration, "out": Path("second")} and not again.is_command
