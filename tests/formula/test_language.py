"""Formulas that an older version of the language wrote, in each kind of file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from zcproxy import Proxy, load_proxy
from zcproxy.errors import ConfigurationError, ProxyFileError, RunError
from zcproxy.evolve import Configuration, Limits
from zcproxy.evolve.directory import CHECKPOINT, CONFIGURATION as RUN, RunDirectory, State
from zcproxy.formula.language import FIELD, LANGUAGE, RENAMED, current_name
from zcproxy.formula.text import updated
from zcproxy.names.proxies import resolve_proxy
from zcproxy.primitives import parse
from zcproxy.search.configuration import SearchConfiguration
from zcproxy.search.directory import CONFIGURATION as SEARCH, SearchDirectory
from zcproxy.search.quantities.networks import Setting
from zcproxy.storage.records import read_record_file, write_record_file

OLD = "sum(stable_rank(filter_gram(grad(weight)@noise))) + depth"
NEW = "sum(participation_ratio(filter_gram(grad(weight)@noise))) + depth"


def as_of_old(path: Path, change: Callable[[dict[str, Any]], object] = lambda content: None) -> Path:
    """Turn a proxy file of today into what the first version wrote."""
    content = json.loads(path.read_text().replace("participation_ratio", "stable_rank"))
    del content[FIELD]
    change(content)
    path.write_text(json.dumps(content))
    return path


def record_of_old(path: Path) -> None:
    """The same for a record of a run or a search, whose checksum follows."""
    content = json.loads(json.dumps(read_record_file(path)).replace("participation_ratio", "stable_rank"))
    del content[FIELD]
    write_record_file(path, content)


def test_a_name_means_what_it_meant_when_it_was_written() -> None:
    assert str(parse(OLD, language=1)) == updated(OLD, 1) == NEW
    assert str(parse(OLD)) == updated(OLD, LANGUAGE) == OLD
    assert current_name("stable_rank", 1) == "participation_ratio" and current_name("sum", 1) == "sum"
    assert max(RENAMED) < LANGUAGE


def test_an_old_proxy_file_gives_the_scores_that_it_gave(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    Proxy(parse(NEW)).save(path)
    assert json.loads(path.read_text())[FIELD] == LANGUAGE
    assert str(load_proxy(path).formula) == NEW
    old = load_proxy(as_of_old(path, lambda content: content.update(format=1)))
    assert str(old.formula) == NEW
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model, images = torch.nn.Sequential(torch.nn.Conv2d(3, 5, 3), torch.nn.Flatten()), torch.randn(2, 3, 3, 3)
    recorded: list[torch.Tensor] = []
    model.requires_grad_()
    score = old(model, images)
    noise = torch.randn(2, 3, 3, 3, generator=noise_generator())
    model(noise).sum().backward()
    weight = model[0].weight
    assert isinstance(weight, torch.Tensor) and weight.grad is not None
    recorded.append(weight.grad.flatten(1))
    squares = torch.linalg.svdvals(recorded[0].double()) ** 2
    assert score - 1.0 == pytest.approx((squares.sum() ** 2 / (squares**2).sum()).item(), rel=1e-4)
    typed = resolve_proxy(OLD)(model, images)
    assert typed - 1.0 == pytest.approx((squares.sum() / squares.max()).item(), rel=1e-4)


def noise_generator() -> torch.Generator:
    from zcproxy.random import derive_seed

    return torch.Generator().manual_seed(derive_seed("probe input", "noise", 0))


def test_an_old_run_goes_on_with_what_it_meant(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path / "run")
    configuration = Configuration(("digits201",), start_from=(NEW,))
    directory.create(configuration, Limits(generations=5))
    state = State([[NEW], []], ["params", NEW], epoch=1, hall={7: NEW})
    directory.save_state(state, {})
    for name in (RUN, CHECKPOINT):
        record_of_old(directory.path / name)
    assert directory.configuration() == configuration
    assert directory.load_state() == state
    directory.create(configuration, Limits(generations=9))
    assert read_record_file(directory.path / RUN)[FIELD] == LANGUAGE


def test_what_an_old_run_does_without_is_what_it_meant(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path / "run")
    directory.create(Configuration(("digits201",), without=("participation_ratio",)), Limits(generations=5))
    record_of_old(directory.path / RUN)
    assert directory.configuration().without == ("participation_ratio",)


def test_an_old_search_goes_on_with_what_it_meant(tmp_path: Path) -> None:
    directory = SearchDirectory(tmp_path / "search")
    directory.path.mkdir()
    configuration = SearchConfiguration(Setting("digits201", formula=NEW), ("proxy",))
    directory.create(configuration)
    record_of_old(directory.path / SEARCH)
    assert directory.configuration() == configuration
    directory.create(configuration)


@pytest.mark.parametrize("version", [0, True, "2", 2.0, None])
def test_what_is_no_version_is_named(tmp_path: Path, version: object) -> None:
    path = tmp_path / "mine.json"
    Proxy(parse(NEW)).save(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {FIELD: version}))
    with pytest.raises(ProxyFileError, match=r"mine\.json has something else than a version of the language"):
        load_proxy(path)


def test_a_newer_language_is_refused_in_every_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    Proxy(parse(NEW)).save(path)
    directory = RunDirectory(tmp_path / "run")
    directory.create(Configuration(("digits201",)), Limits(generations=5))
    directory.save_state(State([[NEW]], []), {})
    path.write_text(json.dumps(json.loads(path.read_text()) | {FIELD: LANGUAGE + 1}))
    for place in (directory.path / RUN, directory.path / CHECKPOINT):
        write_record_file(place, read_record_file(place) | {FIELD: LANGUAGE + 1})
    message = f"has formulas of language {LANGUAGE + 1}, this zcproxy reads up to {LANGUAGE}: upgrade zcproxy"
    with pytest.raises(ProxyFileError, match=message):
        load_proxy(path)
    with pytest.raises(ConfigurationError, match=message):
        directory.configuration()
    with pytest.raises(RunError, match=message):
        directory.load_state()
