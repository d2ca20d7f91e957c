"""Files of proxies that an earlier or another version wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zcproxy import Proxy, load_proxy
from zcproxy.errors import ProxyFileError
from zcproxy.formula import parse

PROXY = Proxy(parse("sum(l1_norm(grad(weight)@delta)) + sum(l1_norm(output@noise))"))


def rewritten(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    PROXY.save(path)
    content = json.loads(path.read_text())
    for probe in content["probes"].values():
        change(probe)
    path.write_text(json.dumps(content))
    return path


def without_later_fields(probe: dict[str, Any]) -> None:
    del probe["per_sample"]
    for run in (probe["run"], probe["minus"]):
        if run is not None:
            del run["gaussian_weights"]


def test_probes_may_lack_what_was_added_since(tmp_path: Path) -> None:
    assert load_proxy(rewritten(tmp_path / "old.json", without_later_fields)).formula == PROXY.formula


@pytest.mark.parametrize(
    "change",
    [
        lambda probe: probe.update(sub_batches=3),
        lambda probe: probe["run"].update(normalised=False),
        lambda probe: probe["run"].update(gaussian_weights=True),
        lambda probe: probe.update(run=None),
    ],
)
def test_other_probes_are_refused(tmp_path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    with pytest.raises(ProxyFileError, match="differently from this zcproxy"):
        load_proxy(rewritten(tmp_path / "other.json", change))
