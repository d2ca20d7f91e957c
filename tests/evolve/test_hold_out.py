"""Runs whose chosen formula is tested on a family that they never saw, and what is asked of a formula beside tau."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import zcproxy
from zcproxy.errors import BenchmarkError, ConfigurationError, ZcproxyError
from zcproxy.evolve import Configuration, Limits, evolve
from zcproxy.evolve.directory import RunDirectory
from zcproxy.evolve.start import draw_samples
from zcproxy.names.scorers import resolve_scorers
from zcproxy.names.tasks import get_task
from zcproxy.ranking.controls import compare
from zcproxy.ranking.scoring import draw_networks

HELD_OUT = "nats_sss/imagenet16-120"
"""Has the smallest images."""
LIMITS = Limits(generations=4)


@pytest.fixture
def holding_out(small: Configuration, made_data: Path) -> Configuration:
    return replace(small, hold_out=(HELD_OUT,), new_columns=0)


def test_a_held_out_task_is_tested_once_and_labels_of_it_change_nothing(
    holding_out: Configuration, small: Configuration, column_cache: Path, tmp_path: Path
) -> None:
    result = evolve(holding_out, LIMITS, tmp_path / "with", cache=column_cache)
    without = evolve(replace(small, new_columns=0), LIMITS, tmp_path / "without", cache=column_cache)
    assert list(result.test) == [HELD_OUT]
    assert "held out" in result.test[HELD_OUT].population
    assert result.chosen == without.chosen
    assert set(result.baselines[HELD_OUT]) == {"params", "flops"}
    best = zcproxy.load_proxy(tmp_path / "with" / "best.json")
    assert [item["task"] for item in best.correlations] == [HELD_OUT]
    assert best.provenance["training_tau"].keys() == set(small.tasks)


def test_a_held_out_task_lends_nothing_to_the_sample(holding_out: Configuration) -> None:
    sample = draw_samples(holding_out)[HELD_OUT]
    assert sample.fitted == ()
    assert len(sample.test) == holding_out.test_networks


def test_all_networks_of_a_task_may_be_fitted_where_others_are_held_out(holding_out: Configuration) -> None:
    cells = "nds/darts-imagenet"
    sample = draw_samples(replace(holding_out, tasks=(cells,), networks=121))[cells]
    assert (len(sample.fitted), sample.test) == (121, ())


def test_networks_of_a_training_task_are_not_held_out(small: Configuration, made_data: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match="nasbench201/cifar100 has the same networks as the training task digits201"
    ):
        evolve(replace(small, hold_out=("nasbench201/cifar100",)), LIMITS, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("change", [{"tasks": ("nds/vanilla-cifar10",)}, {"hold_out": ("nds/vanilla-lr-wd-imagenet",)}])
def test_a_family_that_is_set_aside_stops_the_run_before_it_starts(
    small: Configuration, made_data: Path, tmp_path: Path, change: dict[str, tuple[str, ...]]
) -> None:
    with pytest.raises(ConfigurationError, match="the family nds-vanilla, which is set aside"):
        evolve(replace(small, **change), LIMITS, tmp_path / "run")  # type: ignore[arg-type]
    assert not (tmp_path / "run").exists()


def test_a_resumed_run_has_the_confirmation_of_the_first(small: Configuration) -> None:
    asked = replace(small, use_set_aside=True)
    assert Configuration.from_dict(asked.as_dict()) == asked
    older = {key: value for key, value in asked.as_dict().items() if key != "use_set_aside"}
    assert Configuration.from_dict(older).use_set_aside is False


def test_controls_and_published_proxies_are_tested_on_the_held_out_networks_too(
    holding_out: Configuration, column_cache: Path, tmp_path: Path
) -> None:
    result = evolve(holding_out, LIMITS, tmp_path / "run", cache=column_cache)
    proxies = resolve_scorers("l2_norm,weight_layers")
    rows = compare(tmp_path / "run", result, proxies, control=True, cache=column_cache)
    for known in rows.values():
        chosen = next(name for name in known if name.startswith("chosen of these"))
        assert chosen in ("chosen of these (l2_norm)", "chosen of these (weight_layers)")
        assert known[chosen] == known[chosen.removeprefix("chosen of these (").removesuffix(")")]
        assert {"best formula", "random formulas", "additive model", "random forest", "params"} <= known.keys()
    again = compare(tmp_path / "run", result, proxies, control=True, cache=column_cache)
    assert repr(again) == repr(rows)


def test_selection_by_case_and_resampling_find_the_same_with_two_workers(
    small: Configuration, column_cache: Path, tmp_path: Path
) -> None:
    asked = replace(
        small, selection="lexicase", cases=("partial", "bands", "top"), resampled=0.7, networks=24, new_columns=0
    )
    halls = []
    for workers in (1, 2):
        run = tmp_path / str(workers)
        evolve(asked, LIMITS, run, workers=workers, cache=column_cache)
        halls.append(json.loads((run / "checkpoint.json").read_text())["hall"])
    assert halls[0] == halls[1]
    other = replace(asked, resampled=1.0)
    evolve(other, LIMITS, tmp_path / "all", cache=column_cache)
    state = RunDirectory(tmp_path / "all").load_state()
    assert state is not None
    assert state.hall != {int(size): text for size, text in halls[0].items()}


def test_runs_of_two_seeds_may_share_their_networks(small: Configuration) -> None:
    seeds = [draw_samples(replace(small, seed=seed, sample_seed=7)) for seed in (0, 1)]
    assert seeds[0] == seeds[1] == draw_samples(replace(small, seed=7))
    assert seeds[0] != draw_samples(small)


def test_tasks_take_as_many_networks_as_each_has(small: Configuration, made_data: Path) -> None:
    tasks = ("nasbench201/cifar10", "nds/darts-imagenet", "digits201")
    samples = draw_samples(replace(small, tasks=tasks, networks=None, test_networks=None))
    assert {name: len(sample.fitted) for name, sample in samples.items()} == {
        "nasbench201/cifar10": 400,
        "nds/darts-imagenet": int(0.6 * 121),
        "digits201": 300,
    }
    with pytest.raises(
        BenchmarkError, match="nds/darts-imagenet: 122 networks asked for, the population 'all' has 121"
    ):
        draw_samples(replace(small, tasks=tasks, networks=122))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"selection": "roulette"}, "unknown selection 'roulette': write one of tournament, double-tournament"),
        ({"cases": ("luck",)}, "unknown case 'luck': write one of bands, top, partial"),
        ({"resampled": 0.1}, "resampled=0.1 is not a share from 0.25 to 1"),
        ({"without": ("summ",)}, "unknown primitive 'summ' .did you mean sum"),
        (
            {"without": ("log",), "start_from": ("log(depth)",)},
            r"'log\(depth\)' to start from has log, which `without`",
        ),
        (
            {"without": ("total_macs",), "cases": ("bands",)},
            "the cases bands are made with total_macs, which is left out",
        ),
        ({"without": ("depth",), "start_from": ("depth + 2",)}, "to start from has depth, which `without` leaves out"),
        ({"without": ("constants",), "start_from": ("depth + 2",)}, "'depth [+] 2' to start from has constants"),
        ({"without": ("gradients",), "start_from": ("sum(std(grad(weight)@noise))",)}, "to start from has gradients"),
        ({"goals": ("a", "b")}, "2 goals for 1 tasks"),
    ],
)
def test_choices_that_make_no_sense(change: dict[str, object], message: str) -> None:
    with pytest.raises(ZcproxyError, match=message):
        Configuration(**{"tasks": ("digits201",), **change})  # type: ignore[arg-type]


def test_what_a_run_of_several_spaces_has_seen_is_left_out_in_each(
    small: Configuration, made_data: Path, tmp_path: Path
) -> None:
    tasks = ("nasbench201/cifar10", HELD_OUT)
    asked = replace(small, tasks=tasks, networks=120)
    RunDirectory(tmp_path).create(asked, LIMITS)
    samples = draw_samples(asked)
    for name in (*tasks, "nasbench201/cifar100"):
        task = get_task(name)
        fitted = {task.space.equivalence_class(each) for each in samples[tasks[name == HELD_OUT]].fitted}
        drawn = draw_networks(task, 300, unseen_by=[tmp_path])
        assert fitted.isdisjoint(map(task.space.equivalence_class, drawn))
        assert not fitted.isdisjoint(map(task.space.equivalence_class, draw_networks(task, 300)))
