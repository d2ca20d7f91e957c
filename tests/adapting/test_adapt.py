"""Adapting from labels to a proxy, on the embedded benchmark and on spaces without one."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest
from matplotlib.figure import Figure

import zcproxy
from zcproxy.adapting.adapt import Adaptation, adapt
from zcproxy.adapting.candidates import resolve_candidates
from zcproxy.errors import BenchmarkError, ConfigurationError
from zcproxy.names.spaces import get_space
from zcproxy.ranking.scoring import score_networks
from zcproxy.ranking.seen import seen_in_fitting
from zcproxy.workers.pool import worker_pool

TASK = "digits201"
SIZES = "sum(channels),sum(log(params)),1 / total_params,0 - total_params"


def labels_of(networks: int) -> dict[str, float]:
    task = zcproxy.get_task(TASK)
    drawn = Random(4).sample(list(task.architectures("all")), networks)
    return dict(zip(drawn, task.labels(drawn).tolist(), strict=True))


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Adaptation:
    return adapt(TASK, labels_of(20), resolve_candidates(SIZES), cache=tmp_path_factory.mktemp("cache"))


def test_the_formula_is_what_was_weighed(found: Adaptation, tmp_path: Path) -> None:
    terms = found.decision.terms
    assert len(terms) > 1  # the labels of this benchmark follow params
    labels = labels_of(20)
    scores = score_networks(
        [found.proxy, *found.candidates], TASK, list(labels), population="labelled", cache=tmp_path
    ).scores
    wanted = sum(term.weight * np.log(scores[found.candidates[term.place].name]) for term in terms)
    assert scores["adapted"] == pytest.approx(wanted)


def test_the_file_says_what_was_done(found: Adaptation, tmp_path: Path) -> None:
    found.proxy.save(tmp_path / "adapted.json")
    read = zcproxy.load_proxy(tmp_path / "adapted.json")
    assert (read.formula, read.name, read.batch_size) == (found.proxy.formula, "adapted", 8)
    record = read.provenance["adapted"]
    assert record["labels"] == labels_of(20)
    assert (record["task"], record["space"], record["networks"]) == (TASK, "nasbench201", 20)
    assert (record["seed"], record["initialisations"], record["general"]) == (0, 1, "sum(channels)")
    assert [item["name"] for item in record["candidates"]] == SIZES.split(",")
    expected = found.decision.expected
    assert record["expected"] == {"tau": expected.tau, "low": expected.low, "high": expected.high}
    assert read.correlations[0]["tau"] == expected.tau and "20 labels" in read.correlations[0]["population"]


def test_the_labelled_networks_count_as_seen(found: Adaptation) -> None:
    task = zcproxy.get_task(TASK)
    assert seen_in_fitting([found.proxy], task, list(labels_of(20)))["adapted"] == 20
    others = [each for each in task.architectures("all") if each not in labels_of(20)]
    assert seen_in_fitting([found.proxy], task, others).get("adapted", 0) < 20


def test_a_chosen_proxy_keeps_what_is_known_of_it(tmp_path: Path) -> None:
    general = zcproxy.load_proxy("zc-forward")
    found = adapt(TASK, labels_of(10), [general, *resolve_candidates(SIZES)[2:]], rule="choose", cache=tmp_path)
    assert found.decision.terms[0].place == 0 and found.proxy.formula == general.formula
    assert found.proxy.provenance["configuration"] == general.provenance["configuration"]
    assert found.proxy.correlations[1:] == general.correlations


def test_workers_change_nothing_and_a_space_needs_no_task(tmp_path: Path) -> None:
    space = get_space("nasbench201")
    rng = Random(0)
    labels = {space.sample(rng): float(place) for place in range(12)}
    candidates = resolve_candidates("sum(log(frobenius_norm(output@noise))),sum(log(params))")
    steps: list[tuple[str, int, int]] = []

    def step(what: str, done: int, total: int) -> None:
        steps.append((what, done, total))

    alone = adapt("nasbench201", labels, candidates, input_shape=(3, 8, 8), initialisations=2, step=step)
    with worker_pool(2) as executor:
        apart = adapt("nasbench201", labels, candidates, input_shape=(3, 8, 8), initialisations=2, executor=executor)
    assert alone.proxy == apart.proxy
    assert alone.proxy.provenance["adapted"]["input_shape"] == [3, 8, 8]
    assert steps[-1] == ("measuring nasbench201", 12, 12)


def test_bad_arguments(tmp_path: Path) -> None:
    candidates = resolve_candidates(SIZES)
    with pytest.raises(BenchmarkError, match="unknown task, space or super-network 'digits20'"):
        adapt("digits20", labels_of(10), candidates)
    with pytest.raises(ConfigurationError, match="unknown rule 'mean'"):
        adapt(TASK, labels_of(10), candidates, rule="mean")
    with pytest.raises(ConfigurationError, match="initialisations=0 is below 1"):
        adapt(TASK, labels_of(10), candidates, initialisations=0)
    with pytest.raises(ConfigurationError, match="1 different candidates"):
        adapt(TASK, labels_of(10), candidates[:1])
    with pytest.raises(ConfigurationError, match="is a space without a dataset"):
        adapt("ofa_resnet50", labels_of(10), candidates)
    with pytest.raises(BenchmarkError, match="9 networks have labels"):
        adapt(TASK, labels_of(9), candidates, cache=tmp_path)


def test_it_is_a_table_and_a_drawing(found: Adaptation) -> None:
    frame = found.to_frame()
    assert frame["candidate"].tolist() == [proxy.name for proxy in found.candidates]
    weights = {term.place: term.weight for term in found.decision.terms}
    assert frame["weight"].tolist() == [weights.get(place, 0.0) for place in range(4)]
    assert frame["gain"].iloc[0] == 0 and np.array_equal(frame["tau"], found.decision.taus)
    assert frame["formula"].tolist() == [str(proxy.formula) for proxy in found.candidates]
    assert str(found.proxy.formula) in repr(found) and f"of {found.candidates[0].name} alone" in repr(found)
    assert "20 labels of digits201" in repr(found) and "<table" in found._repr_html_()
    axes = found.plot(Figure().subplots())
    assert [text.get_text() for text in axes.get_yticklabels()] == frame["candidate"].tolist()[::-1]
    assert axes.get_title() == "digits201: 20 labels"
    legend = axes.get_legend()
    assert legend is not None and "in the formula" in [text.get_text() for text in legend.get_texts()]
