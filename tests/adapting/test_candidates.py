"""Candidates by name, and what is refused of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from zcproxy.adapting.candidates import resolve_candidates
from zcproxy.errors import ConfigurationError, ProxyFileError
from zcproxy.names.proxies import resolve_proxy
from zcproxy.primitives import parse
from zcproxy.primitives.zoo import NAMES
from zcproxy.proxy.proxy import Proxy


@pytest.fixture
def run_directory(tmp_path: Path) -> Path:
    for size, formula in enumerate(("sum(params)", "sum(macs)", "total_params"), 2):
        Proxy(parse(formula), f"size-{size:02d}").save(tmp_path / "run" / "front" / f"size-{size:02d}.json")
    (tmp_path / "run" / "configuration.json").write_text("{}")
    return tmp_path / "run"


def test_names_files_formulas_and_folders(run_directory: Path) -> None:
    front = run_directory / "front"
    files = [str(front / f"size-0{size}.json") for size in (2, 3, 4)]
    found = resolve_candidates(f"zc-general, synflow, sum(log(channels)), {front}")
    assert [proxy.name for proxy in found] == ["zc-general", "synflow", "sum(log(channels))", *files]
    assert [proxy.name for proxy in resolve_candidates(f"zc-general,{run_directory}")] == ["zc-general", *files]
    assert [proxy.name for proxy in resolve_candidates(f"{files[1]},{run_directory}")] == [files[1], files[0], files[2]]


def test_the_zoo_is_all_published_proxies() -> None:
    found = resolve_candidates("zc-general,zoo")
    assert found[0].name == "zc-general"
    assert {(proxy.formula, proxy.batch_size) for proxy in found[1:]} == {
        (proxy.formula, proxy.batch_size) for proxy in map(resolve_proxy, NAMES)
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "0 different candidates: name 2 to 500"),
        ("zc-general", "1 different candidates"),
        ("sum(params),sum( params )", "1 different candidates"),
        ("zoo,zc-general", "the first candidate is the general one, and 'zoo' stands for several"),
        ("run,zc-general", "'run' stands for several: begin with one proxy, for example zc-general,run"),
        ("zc-general,az_nas", "'az_nas' sums ranks of several proxies"),
    ],
)
def test_bad_lists(text: str, message: str, run_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run_directory.parent)
    with pytest.raises(ConfigurationError, match=message):
        resolve_candidates(text)


def test_bad_names(tmp_path: Path) -> None:
    with pytest.raises(ProxyFileError, match="did you mean zc-general"):
        resolve_candidates("zc-genral,synflow")
    with pytest.raises(ProxyFileError, match="holds no proxy file"):
        resolve_candidates(f"zc-general,{tmp_path}")
    Proxy(parse("ranks(sum(params), sum(macs))"), "set").save(tmp_path / "set.json")
    with pytest.raises(ConfigurationError, match=r"set\.json' is a set of formulas"):
        resolve_candidates(f"zc-general,{tmp_path}")
    (tmp_path / "other.json").write_text("[]")
    with pytest.raises(ProxyFileError, match=r"other\.json is not a proxy file"):
        resolve_candidates(f"zc-general,{tmp_path}")
