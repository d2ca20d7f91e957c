"""Whole runs on real networks: determinism, resuming, the files they leave."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

import zcproxy
from zcproxy.columns.context import Context
from zcproxy.columns.sweep import sweep
from zcproxy.errors import BenchmarkError, ConfigurationError, RunError
from zcproxy.evolve import Configuration, Limits, evolve, resume
from zcproxy.evolve.directory import RunDirectory
from zcproxy.evolve.fitness import FitnessFunction
from zcproxy.evolve.start import draw_samples, first_columns
from zcproxy.formula.variation import places
from zcproxy.names.tasks import get_task
from zcproxy.primitives import parse

LIMITS = Limits(generations=8)
TASK = "digits201"

PROGRAM = """
import sys
from pathlib import Path
from zcproxy.evolve import Configuration, Limits, evolve
from zcproxy.evolve.directory import RunDirectory
from zcproxy.evolve.fitness import FitnessFunction
if __name__ == "__main__":
    out, cache = Path(sys.argv[1]), Path(sys.argv[2])
    known = RunDirectory(out)
    evolve(known.configuration(), known.limits(), out, cache=cache)
"""


def results_of(run: Path) -> dict[str, str]:
    """Return the hall of fame and the proxies: what must not depend on workers or interruptions."""
    state = json.loads((run / "checkpoint.json").read_text())
    files = sorted([*(run / "front").glob("*.json"), run / "best.json"])
    return {"hall": json.dumps(state["hall"]), **{path.name: path.read_text() for path in files}}


@pytest.fixture
def reference(small: Configuration, column_cache: Path, tmp_path: Path) -> dict[str, str]:
    """The result of the small run, uninterrupted with one worker."""
    run = tmp_path / "reference"
    evolve(small, LIMITS, run, cache=column_cache)
    return results_of(run)


def test_two_workers_find_what_one_finds(
    small: Configuration, column_cache: Path, tmp_path: Path, reference: dict[str, str]
) -> None:
    evolve(small, LIMITS, tmp_path / "two", workers=2, cache=column_cache)
    assert results_of(tmp_path / "two") == reference


def test_another_seed_finds_something_else(
    small: Configuration, column_cache: Path, tmp_path: Path, reference: dict[str, str]
) -> None:
    evolve(replace(small, seed=1), LIMITS, tmp_path / "other", cache=column_cache)
    assert results_of(tmp_path / "other")["hall"] != reference["hall"]


def test_populations_begin_with_what_is_given(small: Configuration, column_cache: Path, tmp_path: Path) -> None:
    given = parse("sum(log(params)) * mean(log(frobenius_norm(output@logits)))")
    configuration = replace(small, start_from=(str(given), "total_params"))
    evolve(configuration, Limits(generations=1), tmp_path / "started", cache=column_cache)
    state = RunDirectory(tmp_path / "started").load_state()
    assert state is not None
    assert {str(column) for column in given.columns()} <= set(state.columns)
    best = parse(state.hall[given.size])
    networks = draw_samples(configuration)[TASK].training
    table = sweep(
        Context(get_task(TASK), small.batch_size), networks, [*given.columns(), *best.columns()], cache=column_cache
    )
    scorer = FitnessFunction([table], [get_task(TASK).labels(networks)])
    assert scorer(best).worst >= scorer(given).worst > -1


def test_a_formula_to_start_from_has_to_fit(small: Configuration) -> None:
    with pytest.raises(
        ConfigurationError, match=r"'0 - sum\(params\)' to start from has 4 nodes, the run has maximum_size=3"
    ):
        replace(small, start_from=("0 - sum(params)",), maximum_size=3)


def test_a_run_killed_three_times_ends_as_if_never_interrupted(
    small: Configuration, column_cache: Path, tmp_path: Path, reference: dict[str, str]
) -> None:
    run = tmp_path / "killed"
    directory = RunDirectory(run)
    directory.create(small, LIMITS)
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    for kill in range(3):
        process = subprocess.Popen([sys.executable, str(program), str(run), str(column_cache)])
        lines = len(directory.journal())
        deadline = time.monotonic() + 120
        while len(directory.journal()) <= lines and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02 * (kill + 1))
        process.send_signal(signal.SIGKILL)
        process.wait()
    resume(run, cache=column_cache)
    assert results_of(run) == reference
    assert [line["epoch"] for line in directory.journal()] == [1, 2, 3, 4]


def test_a_sweep_killed_on_the_way_goes_on_where_it_was(small: Configuration, tmp_path: Path) -> None:
    run, cache = tmp_path / "killed", tmp_path / "cache"
    RunDirectory(run).create(small, LIMITS)
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    process = subprocess.Popen([sys.executable, str(program), str(run), str(cache)])
    deadline = time.monotonic() + 120
    while not list(cache.rglob("*.arrow")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = {path: path.stat().st_mtime_ns for path in cache.rglob("*.arrow")}
    assert kept
    evolve(small, LIMITS, run, cache=cache)
    assert all(path.stat().st_mtime_ns == changed for path, changed in kept.items())
    assert len(list(cache.rglob("*.arrow"))) > len(kept)


def test_parts_of_the_sample_share_no_function(small: Configuration) -> None:
    task = get_task(TASK)
    for seed in range(3):
        sample = draw_samples(replace(small, networks=240, test_networks=120, seed=seed))[TASK]
        parts = [
            {task.space.equivalence_class(architecture) for architecture in part}
            for part in (sample.training, sample.validation, sample.test)
        ]
        assert not parts[0] & parts[1]
        assert not (parts[0] | parts[1]) & parts[2]
        assert (len(sample.training), len(sample.validation), len(sample.test)) == (180, 60, 120)


def test_several_tasks_share_their_networks_and_score_the_worst(
    small: Configuration, column_cache: Path, tmp_path: Path, made_data: Path
) -> None:
    tasks = ("nasbench201/cifar10", "nasbench201/imagenet16-120")
    result = evolve(replace(small, tasks=tasks), Limits(generations=2), tmp_path / "run", cache=column_cache)
    assert set(result.test) == set(tasks)
    assert result.chosen.validation.worst == min(result.chosen.validation.correlations)
    samples = draw_samples(replace(small, tasks=tasks))
    assert samples[tasks[0]] == samples[tasks[1]]


def test_the_hall_holds_the_best_of_each_size_and_files_load(
    small: Configuration, column_cache: Path, tmp_path: Path
) -> None:
    result = evolve(small, LIMITS, tmp_path / "run", cache=column_cache)
    sizes = [item.training.size for item in result.hall]
    assert sizes == sorted(set(sizes))
    assert max(sizes) <= small.maximum_size
    assert all(item.formula.size == item.training.size for item in result.hall)
    best = zcproxy.load_proxy(tmp_path / "run" / "best.json")
    assert best.formula == result.chosen.formula
    assert best.correlations[0]["networks"] == small.test_networks
    assert len(list((tmp_path / "run" / "front").glob("*.json"))) == len(result.front)
    assert result.chosen.labelled.worst == max(item.labelled.worst for item in result.hall)


def test_new_layer_level_expressions_are_measured_on_the_way(
    small: Configuration, column_cache: Path, tmp_path: Path
) -> None:
    evolve(small, LIMITS, tmp_path / "with", cache=column_cache)
    evolve(replace(small, new_columns=0), LIMITS, tmp_path / "without", cache=column_cache)
    counts = [RunDirectory(tmp_path / name).journal()[-1]["columns"] for name in ("with", "without")]
    assert counts[0] > counts[1]


def test_the_random_control_scores_as_many_formulas_without_selection(
    small: Configuration, column_cache: Path, tmp_path: Path
) -> None:
    result = evolve(replace(small, algorithm="random"), LIMITS, tmp_path / "random", cache=column_cache)
    assert result.evaluations > 100
    assert json.loads((tmp_path / "random" / "checkpoint.json").read_text())["islands"] == [[], [], []]


def test_limits_stop_a_run(small: Configuration, column_cache: Path, tmp_path: Path) -> None:
    few = evolve(small, Limits(evaluations=50), tmp_path / "few", cache=column_cache)
    assert few.generations == small.epoch_generations
    started = time.monotonic()
    evolve(small, Limits(seconds=20.0), tmp_path / "timed", cache=column_cache)
    assert time.monotonic() - started < 60


def test_a_run_that_ends_without_a_formula_says_how_to_go_on(
    small: Configuration, column_cache: Path, tmp_path: Path
) -> None:
    out = tmp_path / "short"
    with pytest.raises(RunError, match=r"^no formula was scored in \d+ s") as raised:
        evolve(small, Limits(seconds=0.01, evaluations=20), out, cache=column_cache)
    advice = f"`zcproxy evolve --resume {out}` continues with what is measured, or give a larger `seconds`"
    assert advice in str(raised.value)
    assert resume(out, seconds=300.0, cache=column_cache).evaluations >= 20


def test_a_directory_of_another_configuration_is_refused(
    small: Configuration, column_cache: Path, tmp_path: Path
) -> None:
    evolve(small, Limits(generations=2), tmp_path / "run", cache=column_cache)
    before = results_of(tmp_path / "run")
    with pytest.raises(RunError, match="seed = 0, not 5"):
        evolve(replace(small, seed=5), LIMITS, tmp_path / "run", cache=column_cache)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "diary.txt").write_text("mine")
    with pytest.raises(RunError, match="holds no run"):
        evolve(small, LIMITS, tmp_path / "notes", cache=column_cache)
    with pytest.raises(RunError, match="is not a run directory"):
        resume(tmp_path / "nowhere")
    assert results_of(tmp_path / "run") == before
    assert os.listdir(tmp_path / "notes") == ["diary.txt"]


def test_more_networks_than_there_are(small: Configuration, tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="20000 networks asked for, the population 'all' has 500"):
        evolve(replace(small, networks=20000), LIMITS, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tasks": ()}, "no task given"),
        ({"networks": 3}, "too few"),
        ({"probes": ("noise", "light")}, "unknown probe 'light'"),
        ({"algorithm": "anneal"}, "unknown algorithm 'anneal'"),
        ({"maximum_size": 1}, "no room"),
        ({"population": "some"}, "unknown population 'some'"),
    ],
)
def test_a_configuration_that_makes_no_sense(change: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Configuration(**{"tasks": (TASK,), **change})  # type: ignore[arg-type]


def test_limits_that_make_no_sense() -> None:
    with pytest.raises(ConfigurationError, match="nothing stops the run"):
        Limits()
    with pytest.raises(ConfigurationError, match="must be positive"):
        Limits(generations=0)


def test_formulas_do_without_what_they_are_told_to(small: Configuration, column_cache: Path, tmp_path: Path) -> None:
    layers = ("sum", "nansum", "nanmean", "min", "max", "std", "median", "first", "last", "log_sum", "sum_log")
    without = (*layers, "slope", "nanleast_step", "weighted_mean", "constants")
    evolve(replace(small, without=without), Limits(generations=6), tmp_path / "run", cache=column_cache)
    state = RunDirectory(tmp_path / "run").load_state()
    assert state is not None
    nodes = [place.node for text in state.hall.values() for place in places(parse(text)) if not place.node.is_column]
    assert len(nodes) > 10
    assert not {node.symbol for node in nodes}.intersection(without)
    assert not any(node.is_constant for node in nodes)


def test_a_descriptor_that_is_left_out_is_no_column(small: Configuration) -> None:
    names = set(map(str, first_columns(replace(small, without=("units", "log")))))
    assert set(map(str, first_columns(small))) - names == {"units"}


def test_formulas_without_gradients_need_one_forward_pass(
    small: Configuration, column_cache: Path, tmp_path: Path
) -> None:
    asked = replace(small, without=("gradients",))
    evolve(asked, Limits(generations=6), tmp_path / "run", cache=column_cache)
    state = RunDirectory(tmp_path / "run").load_state()
    assert state is not None
    assert any("output@noise" in text for text in state.hall.values())
    assert len(state.columns) > len(first_columns(asked))
    assert not any("grad(" in text for text in [*state.columns, *state.hall.values()])
