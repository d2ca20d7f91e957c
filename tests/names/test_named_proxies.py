"""The proxies that come with the package."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import zcproxy
from zcproxy.errors import ProxyFileError
from zcproxy.names.proxies import resolve_proxy
from zcproxy.proxies import DEFAULT, NAMES, file_of

CARDS = Path(__file__).parents[2] / "results" / "proxies" / "README.md"


@pytest.mark.parametrize("name", NAMES)
def test_a_proxy_of_ours_loads_by_its_name_and_says_what_to_expect(name: str) -> None:
    proxy = zcproxy.load_proxy(name)
    assert proxy == resolve_proxy(name) == zcproxy.load_proxy(file_of(name))
    assert proxy.name == name
    assert len(proxy.description) > 100
    assert proxy.provenance["configuration"]["tasks"]
    for item in proxy.correlations:
        assert item["tau_low"] <= item["tau"] <= item["tau_high"]
        assert item["task"] and item["networks"] >= 50 and item["population"]


@pytest.mark.parametrize("name", NAMES)
def test_a_proxy_of_ours_has_a_card(name: str) -> None:
    cards = CARDS.read_text(encoding="utf-8")
    assert f"## {name}\n" in cards
    assert f"`{zcproxy.load_proxy(name).formula}`" in cards


def test_one_that_is_named_so_needs_no_gradient_and_no_pass() -> None:
    assert "grad(" not in json.loads(file_of("zc-forward").read_text())["formula"]
    assert zcproxy.load_proxy("zc-forward").probes == []


def test_a_name_that_does_not_exist_comes_with_the_nearest() -> None:
    assert DEFAULT in NAMES
    with pytest.raises(
        ProxyFileError, match=r"'zc-generel' is not a file, a published proxy \(did you mean zc-general"
    ):
        resolve_proxy("zc-generel")


def test_a_path_where_nothing_is_is_named() -> None:
    with pytest.raises(ProxyFileError, match="there is no file or folder 'runs/x/front'; as a formula: unknown name"):
        resolve_proxy("runs/x/front")


def test_a_published_proxy_loads_by_its_name() -> None:
    assert zcproxy.load_proxy("naswot") == resolve_proxy("naswot")
