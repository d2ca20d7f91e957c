"""How users name what ranks networks."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from zcproxy.columns.standard import standard_columns
from zcproxy.errors import ConfigurationError, FormulaError, ProxyFileError
from zcproxy.formula.canonical import canonical
from zcproxy.formula.choices import number_choices
from zcproxy.formula.variation import crossover, mutate
from zcproxy.names.proxies import resolve_proxy
from zcproxy.names.scorers import formulas_of, resolve_scorer, resolve_scorers, split_names
from zcproxy.primitives import parse
from zcproxy.primitives.zoo import AGGREGATES, NAMES, published_aggregate
from zcproxy.proxy.aggregate import Aggregate
from zcproxy.proxy.proxy import Proxy


@pytest.mark.parametrize("name", AGGREGATES)
def test_a_published_sum_of_ranks_has_published_members(name: str) -> None:
    entry = published_aggregate(name)
    assert entry.name == name and entry.paper and set(entry.members) <= set(NAMES)
    found = resolve_scorer(name)
    assert isinstance(found, Aggregate)
    assert [member.name for member in found.members] == list(entry.members)


def test_a_sum_of_ranks_of_ones_own() -> None:
    found = resolve_scorer("mine=ranks(synflow, sum(maximum(macs, params)))")
    assert isinstance(found, Aggregate)
    assert (found.name, found.rule) == ("mine", "ranks")
    assert [str(member.formula) for member in found.members] == [
        str(resolve_proxy("synflow").formula),
        "sum(maximum(macs, params))",
    ]


def test_a_proxy_may_be_given_a_name() -> None:
    for name in ("size", "my-size.2"):
        assert resolve_scorer(f"{name} = sum(log(params))") == Proxy(parse("sum(log(params))"), name=name)


def test_a_list_is_split_at_commas_outside_parentheses() -> None:
    assert split_names("a, sum(dot(b, c)),, ranks(d, e)") == ["a", "sum(dot(b, c))", "ranks(d, e)"]
    assert split_names("") == []


def test_zoo_is_all_that_is_published() -> None:
    assert [scorer.name for scorer in resolve_scorers("zoo,size=total_params")] == [*NAMES, *AGGREGATES, "size"]


@pytest.mark.parametrize("name", NAMES)
def test_a_published_proxy_can_start_a_population(name: str) -> None:
    """Evolution varies it like any formula, keeps its kind, and can score what comes of it from columns."""
    rng = Random(name)
    start = canonical(parse(formulas_of(name)[0]))
    choices = number_choices([*standard_columns(("noise",)), *start.columns()])
    known = {*standard_columns(("noise",)), *start.columns()}
    for _ in range(20):
        child = canonical(crossover(mutate(start, choices, rng), start, rng))
        assert child.kind is start.kind and set(child.columns()) <= known


def test_proxies_of_one_name_go_by_what_was_written(tmp_path: Path) -> None:
    paths = [str(tmp_path / name) for name in ("first.json", "second.json")]
    for path in paths:
        Proxy(parse("depth"), name="best").save(path)
    assert [scorer.name for scorer in resolve_scorers(",".join([*paths, "params"]))] == [*paths, "params"]


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("synflow,naswot,synflow", ConfigurationError, "the proxy 'synflow' is named twice"),
        ("az_nass", ProxyFileError, "(did you mean az_nas"),
        ("log_ranks(synflow)", ConfigurationError, "needs 2 or more proxies, it has 1"),
        ("log_ranks(synflow, naswott)", ProxyFileError, "(did you mean naswot"),
        ("ranks(synflow, naswot", FormulaError, "does not end with ')'"),
        ("ranks(az_nas, naswot)", ConfigurationError, "'az_nas' sums ranks of several proxies"),
    ],
)
def test_what_names_nothing_is_an_error_of_one_line(text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as raised:
        resolve_scorers(text)
    assert message in str(raised.value) and len(str(raised.value).splitlines()) == 1
