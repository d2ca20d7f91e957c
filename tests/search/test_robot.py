"""RoBoT: weights of proxies found with a few queries, alone and as a whole search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from torch import Tensor, nn

from zcproxy.errors import ConfigurationError
from zcproxy.names.scorers import resolve_scorers
from zcproxy.names.tasks import get_task
from zcproxy.primitives import parse
from zcproxy.proxy.proxy import Proxy
from zcproxy.ranking.scoring import score_networks
from zcproxy.search import Limit, SearchConfiguration, Setting, combined, resume, search
from zcproxy.search.algorithms.robot import Pool, Robot, scaled_ranks
from zcproxy.search.directory import FRONT, JOURNAL, SearchDirectory
from zcproxy.search.goals import Goals

Values = dict[str, float]
GOALS = Goals(("accuracy",))


def kernel_size(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Return the kernel size of the first convolution: a proxy of the user."""
    first = model.get_submodule("0")
    assert isinstance(first, nn.Conv2d)
    return float(first.kernel_size[0])


SETTING = Setting(
    "tests.search.conftest:Tiny",
    proxies=combined("sum(log(params)),ranks(total_params, total_macs),tests.search.test_robot:kernel_size"),
)
SMALL = SearchConfiguration(SETTING, ("accuracy",), algorithm="robot", evaluations=6, population=6, candidates=16)


def queried(pool: Pool, queries: int, accuracy: Callable[[str], float], start: Sequence[str] = ()) -> list[str]:
    """Return what RoBoT asks for, in order."""
    robot, asked = Robot(pool, queries, start, seed=0), list[str]()
    while found := robot.ask():
        asked += found
        robot.tell([GOALS.outcome(name, {"accuracy": accuracy(name)}) for name in found])
    return asked


def made_pool() -> tuple[Pool, Values]:
    """Return 200 architectures with three scores, and accuracies that follow one score and oppose another."""
    rng = np.random.default_rng(5)
    scores = scaled_ranks(rng.normal(size=(200, 3)))
    names = tuple(f"a{place}" for place in range(200))
    return Pool(names, scores), dict(zip(names, (scores @ [1.0, -0.8, 0.0]).tolist(), strict=True))


def test_the_weights_that_the_accuracy_follows_are_found() -> None:
    pool, accuracy = made_pool()
    asked = queried(pool, 20, accuracy.__getitem__)
    assert len(set(asked)) == len(asked) == 20
    best = sorted(accuracy.values())
    assert max(map(accuracy.__getitem__, asked)) >= best[-2]
    equal = pool.architectures[pool.ranked(np.ones(3))[0]]
    assert accuracy[equal] < best[-5], "the sum with equal weights picks as well: the test says nothing"


def test_the_rest_of_the_queries_walks_down_the_best_ranking() -> None:
    pool, _ = made_pool()
    only = Pool(pool.architectures, pool.scores[:, :1])  # one proxy: two rankings, and two first architectures
    asked = queried(only, 10, lambda name: float(name == "a7"))
    order = [pool.architectures[place] for place in only.ranked(np.ones(1))]
    assert set(asked[:2]) == {order[0], order[-1]}
    assert asked[2:] in (order[1:9], order[-2:-10:-1])


def test_what_is_undefined_ranks_worst_under_either_sign() -> None:
    pool = Pool(("low", "high", "unknown"), scaled_ranks(np.array([[1.0, 5.0], [1e30, 5.0], [np.nan, 5.0]])))
    assert pool.ranked(np.array([1.0, 0.0])).tolist() == [1, 0, 2]
    assert pool.ranked(np.array([-1.0, 0.0])).tolist() == [0, 1, 2]
    assert np.array_equal(pool.scores[:, 0], [0.0, 1.0, np.nan], equal_nan=True)


def test_undefined_accuracies_do_not_stop_it() -> None:
    pool, accuracy = made_pool()
    asked = queried(pool, 20, lambda name: accuracy[name] if int(name[1:]) % 2 else float("nan"))
    assert len(set(asked)) == 20
    assert max(accuracy[name] for name in asked if int(name[1:]) % 2) >= sorted(accuracy.values())[-20]


def test_workers_interruptions_and_a_larger_budget_change_nothing(tmp_path: Path) -> None:
    one = search(SMALL, tmp_path / "one").table.drop(columns="seconds")
    assert len(one) == len(set(one["arch"])) == 6
    two = search(SMALL, tmp_path / "two", workers=2).table.drop(columns="seconds")
    pd.testing.assert_frame_equal(one, two)
    journal = (tmp_path / "one" / JOURNAL).read_text().splitlines()
    broken = tmp_path / "broken"
    SearchDirectory(broken).create(SMALL)
    (broken / JOURNAL).write_text("\n".join(journal[:20]) + "\n" + journal[20][:9])
    again = resume(broken, allow_code=[SETTING.reference, SETTING.proxies[2].function])
    pd.testing.assert_frame_equal(one, again.table.drop(columns="seconds"))
    longer = resume(tmp_path / "one", evaluations=9).table.drop(columns="seconds")
    afresh = search(SMALL.with_evaluations(9), tmp_path / "afresh").table.drop(columns="seconds")
    pd.testing.assert_frame_equal(longer, afresh)
    front = pd.read_csv(tmp_path / "one" / FRONT)
    assert set(front["accuracy"]) == {longer["accuracy"].max()}


def test_the_scores_of_a_task_are_those_that_a_table_ranks_by(tmp_path: Path) -> None:
    task = get_task("digits201")
    cells = task.architectures("all")[::2]
    pd.DataFrame({"arch": cells, "score": range(len(cells))}).to_csv(tmp_path / "own.csv", index=False)
    Proxy(parse("sum(log(params))"), name="small").save(tmp_path / "front" / "size-03.json")
    text = f"log_ranks(total_params, total_macs),{tmp_path}/own.csv,{tmp_path}"
    names = [scorer.name for scorer in resolve_scorers(text)]
    setting = Setting("digits201", proxies=combined(text))
    assert [str(each) for each in setting.proxies] == names
    configuration = SearchConfiguration(
        setting, ("accuracy",), algorithm="robot", evaluations=4, population=4, candidates=10
    )
    search(configuration, tmp_path / "run", cache=tmp_path / "cache")
    known: dict[str, Values] = {}
    for architecture, row, _ in SearchDirectory(tmp_path / "run").measured():
        known.setdefault(architecture, {}).update(row)
    drawn = [name for name, row in known.items() if len(row) > 1]
    assert len(drawn) == 10
    quantities = [name for each in setting.proxies for name in each.quantities]
    values = {name: np.array([known[cell][name] for cell in drawn]) for name in quantities}
    table = score_networks([text], "digits201", drawn, population="10", cache=tmp_path / "cache")
    for proxy in setting.proxies:
        assert np.allclose(proxy.scores(values), table.scores[proxy.name], equal_nan=True)
    assert np.isnan(values["proxy:own"]).any()
    pd.DataFrame({"arch": cells, "score": 1.0}).to_csv(tmp_path / "own.csv", index=False)
    with pytest.raises(ConfigurationError, match="has other scores than when the search began"):
        resume(tmp_path / "run", cache=tmp_path / "cache")


def test_only_candidates_within_a_cheap_bound_are_asked_for(tmp_path: Path) -> None:
    found = search(replace(SMALL, limits=(Limit("macs", 1500.0),)), tmp_path / "bounded").table
    assert (found["macs"] <= 1500.0).all()
    assert len(found) >= 2


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"evaluations": 60, "candidates": 60}, "evaluations=60 is more than the 50 architectures of tiny"),
        ({"evaluations": 40}, "candidates=16 is less than evaluations=40"),
        ({"setting": replace(SETTING, proxies=())}, "robot combines proxies: give `proxies`"),
        ({"setting": replace(SETTING, formula="sum(params)")}, "`proxy` plays no part, robot combines `proxies`"),
        ({"algorithm": "local"}, "algorithm=local combines no `proxies`"),
        ({"minimized": ("macs",)}, "robot takes one objective, not accuracy and macs"),
    ],
)
def test_bad_input_is_said_before_anything_is_written(tmp_path: Path, changed: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        search(replace(SMALL, **changed), tmp_path / "run")  # type: ignore[arg-type]
    assert not (tmp_path / "run").exists()


def test_proxies_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="two of `proxies` are called 'total_params'"):
        replace(SETTING, proxies=combined("total_params", "total_params=total_macs"))
