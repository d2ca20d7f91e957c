"""What users name as a proxy; `test_zoo_values.py` checks what the published ones compute."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from torch import nn

from zcproxy import Proxy
from zcproxy.benchmarks.catalogue import benchmarks
from zcproxy.errors import ConfigurationError, FormulaError, ProxyFileError
from zcproxy.names.proxies import (
    in_single_precision,
    is_measured_as_authors_do,
    is_measured_fast,
    reported_tau,
    resolve_proxy,
)
from zcproxy.names.scorers import resolve_scorer
from zcproxy.primitives import parse, zoo
from zcproxy.primitives.zoo import AGGREGATES, NAMES, WITH_TEACHER, published, published_aggregate
from zcproxy.probing.beside import reads_teacher
from zcproxy.probing.expressions import probes_of
from zcproxy.probing.probes import PROBES
from zcproxy.proxy.aggregate import members_of
from zcproxy.proxy.published import PublishedAggregate


@pytest.mark.parametrize("name", [*NAMES, *WITH_TEACHER])
def test_a_published_proxy_says_where_it_comes_from(name: str) -> None:
    entry = published(name)
    assert entry.name == name and entry.paper and "\n" not in entry.formula
    proxy = resolve_proxy(name)
    assert proxy == Proxy(parse(entry.formula), name, entry.batch_size, {"paper": entry.paper})


@pytest.mark.parametrize("name", [*NAMES, *WITH_TEACHER, *AGGREGATES])
def test_a_published_proxy_says_what_to_expect(name: str) -> None:
    entry = published_aggregate(name) if name in AGGREGATES else published(name)
    assert entry.reported or entry.note or isinstance(entry, PublishedAggregate)
    assert len(set(entry.reported)) == len({(item.task, item.population) for item in entry.reported})
    for item in entry.reported:
        benchmark, _, dataset = item.task.partition("/")
        assert dataset in benchmarks()[benchmark].datasets and item.population in ("all", "pruned")
        assert -1.0 < item.low <= item.high < 1.0 and item.source


def test_every_module_of_the_zoo_is_an_entry() -> None:
    files = {path.stem for path in Path(zoo.__file__).parent.glob("*.py")}
    assert files == {"__init__", *NAMES, *WITH_TEACHER, *AGGREGATES}


@pytest.mark.parametrize("name", [*NAMES, *WITH_TEACHER])
def test_those_with_a_teacher_read_one(name: str) -> None:
    assert reads_teacher(parse(published(name).formula)) == published(name).reads_teacher == (name in WITH_TEACHER)


@pytest.mark.parametrize("name", [*NAMES, *WITH_TEACHER])
def test_fast_settings_differ_in_the_precision_alone(name: str) -> None:
    fast, common = resolve_proxy(name, "fast"), resolve_proxy(name)
    assert is_measured_fast(fast) and not is_measured_fast(common)
    assert fast.batch_size == common.batch_size and in_single_precision(str(fast.formula)) == str(fast.formula)
    assert re.sub(r"(?<=\w)(32|64)\b", "", str(fast.formula)) == re.sub(r"(?<=\w)64\b", "", str(common.formula))
    in_double = {probe for probe in probes_of(fast.formula) if any(run.double for run in PROBES[probe].passes)}
    assert in_double <= {"ones", "normalised_ones", "shared_small", "shared_large", "circle", "fisher"}


@pytest.mark.parametrize("name", ["grad_norm", "snip", "grasp", "jacov", "ntk_condition"])
def test_fast_scores_are_near_the_others(name: str) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten(), nn.Linear(216, 4))
    inputs, targets = torch.randn(8, 3, 8, 8), torch.arange(8) % 4
    fast, common = (resolve_proxy(name, settings)(model, inputs, targets) for settings in ("fast", "common"))
    assert fast == pytest.approx(common, rel=0.05) and fast != common


@pytest.mark.parametrize("name", [*NAMES, *WITH_TEACHER])
def test_the_authors_settings_are_those_of_the_entry(name: str) -> None:
    authors, common, found = published(name).authors, resolve_proxy(name), resolve_proxy(name, "authors")
    if authors is None:
        assert found == common
        return
    assert authors.source and is_measured_as_authors_do(found) and not is_measured_as_authors_do(common)
    assert str(found.formula) == str(parse(authors.formula or published(name).formula))
    assert (found.batch_size, found.rule) == (authors.batch_size or common.batch_size, authors.rule)
    assert (found.formula, found.batch_size, found.rule) != (common.formula, common.batch_size, common.rule) or (
        name in ("synflow", "zen")  # which the common settings fit
    )


def test_the_documentation_has_the_authors_settings() -> None:
    text = (Path(__file__).parents[2] / "docs/tables.md").read_text()
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    known = {cells[0].removeprefix("| "): (cells[1], cells[2]) for cells in rows if len(cells) == 6}
    for name in (*NAMES, *WITH_TEACHER):
        authors = published(name).authors
        if authors is not None:
            assert known[name] == (str(authors.batch_size or "-"), authors.rule)


def test_an_authors_formula_has_the_papers_correlations() -> None:
    formula = str(resolve_proxy("meco", "authors").formula)
    assert formula != str(resolve_proxy("meco").formula)
    assert reported_tau("meco", formula, "nasbench201/cifar10", "all") == (0.76, 0.76)


def test_an_aggregate_measures_members_as_its_authors_do() -> None:
    single, jacov, *others = members_of(resolve_scorer("vkdnw_agg", "authors"))
    assert (jacov.batch_size, jacov.rule) == (64, "kaiming_normal_fan_in") != (256, "own")
    assert str(jacov.formula) == str(resolve_proxy("jacov").formula)
    assert single == resolve_proxy("vkdnw_single", "authors") and others[0] == resolve_proxy(
        "az_expressivity", "authors"
    )
    own = members_of(resolve_scorer("mine=ranks(jacov, depth)", "authors"))
    assert [(proxy.batch_size, proxy.rule) for proxy in own] == [(256, "own"), (8, "own")]


def test_unknown_settings_are_one_line() -> None:
    with pytest.raises(ConfigurationError, match="unknown settings 'paper': write one of common, authors"):
        resolve_proxy("synflow", "paper")


def test_papers_that_differ_are_a_range() -> None:
    first, *others = published("zico").reported
    assert (first.task, first.population, first.low, first.high) == ("nasbench201/cifar10", "all", 0.589, 0.61)
    assert [item.task.partition("/")[2] for item in others[:3]] == ["cifar100", "imagenet16-120", "cifar10"]
    assert others[2].population == "pruned" and others[2].low == others[2].high == 0.607


# What a user may write


def test_a_formula_is_a_proxy() -> None:
    proxy = resolve_proxy("sum(log(params)) - depth")
    assert proxy.formula == parse("sum(log(params)) - depth") and proxy.name == "sum(log(params)) - depth"


def test_a_file_is_a_proxy(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    Proxy(parse("sum(macs)"), name="mine", batch_size=4).save(path)
    proxy = resolve_proxy(str(path))
    assert (proxy.formula, proxy.name, proxy.batch_size) == (parse("sum(macs)"), "mine", 4)
    renamed = path.rename(tmp_path / "no-ending")
    assert resolve_proxy(str(renamed)).name == "mine"


def test_a_descriptor_of_the_network_is_a_formula() -> None:
    assert resolve_proxy("total_params").formula == parse("total_params")


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("synflwo", ProxyFileError, "(did you mean synflow"),
        ("zzz", ProxyFileError, "'zzz' is not a file, a published proxy or a formula; known are zc-forward"),
        ("missing.json", ProxyFileError, "cannot read the proxy file missing.json: No such file"),
        ("sum(parms)", FormulaError, "unknown name 'parms' (did you mean params"),
        ("sum(params", FormulaError, "expected ')' but found end of the formula"),
        ("params + macs", FormulaError, "a proxy yields one number per network, but 'params + macs' is of kind Layer"),
        ("", ConfigurationError, "empty proxy: give a file, a name"),
    ],
)
def test_what_is_no_proxy_is_an_error_of_one_line(text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as raised:
        resolve_proxy(text)
    assert message in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_an_unknown_published_name_comes_with_the_nearest() -> None:
    with pytest.raises(ProxyFileError, match=r"no published proxy is called 'naswott' \(did you mean naswot"):
        published("naswott")


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"formula": 3}', '{"format": 1, "formula": "sum(", "probes": {}}']
)
def test_a_broken_file_is_an_error_of_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "broken.json"
    path.write_text(content)
    with pytest.raises((ConfigurationError, ProxyFileError, FormulaError)) as raised:
        resolve_proxy(str(path))
    assert str(path) in str(raised.value) and len(str(raised.value).splitlines()) == 1
