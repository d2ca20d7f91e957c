"""Files of proxies: those that an earlier or another version wrote, and those that are none."""

from __future__ import annotations

import copy
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from zcproxy import Proxy, load_proxy
from zcproxy.errors import ProxyFileError, ZcproxyError
from zcproxy.export.latex import latex
from zcproxy.export.proxy_source import export_python
from zcproxy.primitives import parse
from zcproxy.proxies import NAMES, file_of

Command = Callable[..., tuple[int, str, str]]

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
            for name in ("gaussian_weights", "running_statistics", "shared_weight", "shaken_weights"):
                del run[name]
            del run["permuted_weights"]


def test_probes_may_lack_what_was_added_since(tmp_path: Path) -> None:
    assert load_proxy(rewritten(tmp_path / "old.json", without_later_fields)).formula == PROXY.formula


def test_a_probe_may_have_been_less_exact(tmp_path: Path) -> None:
    change = rewritten(tmp_path / "old.json", lambda probe: probe["run"].update(double=True))
    assert load_proxy(change).formula == PROXY.formula


@pytest.mark.parametrize(
    "change",
    [
        lambda probe: probe.update(sub_batches=3),
        lambda probe: probe["run"].update(normalised=False),
        lambda probe: probe["run"].update(gaussian_weights=True),
        lambda probe: probe["run"].update(running_statistics=True),
        lambda probe: probe["run"].update(shared_weight=1.0),
        lambda probe: probe["run"].update(shaken_weights=True),
        lambda probe: probe["run"].update(permuted_weights=True),
        lambda probe: probe.update(run=None),
    ],
)
def test_other_probes_are_refused(tmp_path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    with pytest.raises(ProxyFileError, match="differently from this zcproxy"):
        load_proxy(rewritten(tmp_path / "other.json", change))


# Files that are none


def written(path: Path, **fields: Any) -> Path:
    path.write_text(json.dumps({"format": 1, "formula": "sum(params)", **fields}))
    return path


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"format": True}, "no format version"),
        ({"format": 1.0}, "no format version"),
        ({"format": 10**200}, "upgrade zcproxy"),
        ({"probes": {"noise": 1}}, "'probes'"),
        ({"probes": {"noise": None}}, "'probes'"),
        ({"probes": {"x" * 1000: {}}}, "uses the probe 'xxx"),
        ({"batch_size": -5}, "'batch_size'"),
        ({"batch_size": 0}, "'batch_size'"),
        ({"batch_size": True}, "'batch_size'"),
        ({"batch_size": 10**12}, "'batch_size'"),
        ({"batch_size": 1e30}, "'batch_size'"),
        ({"batch_size": 8.0}, "'batch_size'"),
        ({"batch_size": None}, "'batch_size'"),
        ({"correlations": [None]}, "'correlations'"),
        ({"correlations": {"tau": 0.5}}, "'correlations'"),
        ({"correlations": [{"tau": "0.5"}]}, "'tau'"),
        ({"correlations": [{"tau": [0.5]}]}, "'tau'"),
        ({"correlations": [{"tau": True}]}, "'tau'"),
        ({"correlations": [{}, {"tau": 10**290}]}, "correlation 2 has 1e+290 under 'tau'"),
        ({"correlations": [{"tau_low": {}}]}, "'tau_low'"),
        ({"correlations": [{"task": 5}]}, "'task'"),
        ({"correlations": [{"population": []}]}, "'population'"),
        ({"provenance": []}, "'provenance'"),
        ({"name": 5}, "'name'"),
        ({"name": "n" * 20_000}, "'name'"),
        ({"name": "\ud800"}, "valid JSON"),
        ({"description": None}, "'description'"),
        ({"description": "d" * 200_000}, "'description'"),
        ({"description": "d" * 2_000_000}, "larger than 1 MB"),
    ],
)
def test_fields_of_another_type_or_range_are_refused(tmp_path: Path, fields: dict[str, Any], part: str) -> None:
    with pytest.raises(ProxyFileError) as raised:
        load_proxy(written(tmp_path / "p.json", **fields))
    assert part in str(raised.value) and "p.json" in str(raised.value)


@pytest.mark.parametrize(
    "rest",
    [
        '"format": 1, "formula": "depth"',
        '"provenance": {"a": NaN}',
        '"provenance": {"a": -Infinity}',
        '"provenance": {"a": 1e400}',
        f'"provenance": {{"a": {"9" * 5000}}}',
        f'"provenance": {{"a": {"9" * 400}}}',
        f'"provenance": {{"a": {"[" * 60}{"]" * 60}}}',
        f'"provenance": {"[" * 5000}{"]" * 5000}',
        '"provenance": {"a": "\\udc00"}',
        '"provenance": {"\\ud800": 1}',
        '"provenance": {"a": 1, "a": 2}',
    ],
)
def test_what_is_no_strict_json_is_refused(tmp_path: Path, rest: str) -> None:
    (tmp_path / "p.json").write_text(f'{{"format": 1, "formula": "sum(params)", {rest}}}')
    with pytest.raises(ProxyFileError, match="does not hold valid JSON"):
        load_proxy(tmp_path / "p.json")


def test_what_is_not_known_is_left_alone(tmp_path: Path) -> None:
    loaded = load_proxy(written(tmp_path / "p.json", later=[1], correlations=[{"tau": None, "later": [1]}]))
    loaded.save(tmp_path / "again.json")
    assert load_proxy(tmp_path / "again.json") == loaded


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and devices are files of POSIX systems")
def test_what_is_no_regular_file_is_refused_at_once(run: Command, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    os.symlink("/dev/zero", tmp_path / "zero.json")
    (tmp_path / "folder.json").mkdir()
    os.symlink("nowhere", tmp_path / "broken.json")
    os.symlink("loop.json", tmp_path / "loop.json")
    with (tmp_path / "huge.json").open("wb") as file:
        file.truncate(200_000_000)
    started = time.monotonic()
    for name in ("pipe", "zero", "folder", "broken", "loop", "huge", "n" * 1000, "a\0b"):
        for command in (("proxy", "show"), ("proxy", "export"), ("score",)):
            code, out, err = run(*command, f"{name}.json", *(["digits201"] if command == ("score",) else []))
            assert (code, out, err.count("\n")) == (2, "", 1) and len(err) < 500
    assert time.monotonic() - started < 30


def test_a_batch_size_of_a_file_is_used_or_refused(run: Command, tmp_path: Path) -> None:
    for size in (-5, 0, True, 10**12, "8"):
        written(tmp_path / "p.json", batch_size=size)
        code, _, err = run("score", "p.json", "--model", "torch.nn:Flatten", "--input", "3x8x8")
        assert code == 2 and "'batch_size'" in err


# Mutated files

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 8, 10**30, 0.5, -2.5, 1e308, 5e-324),
    *("", "noise", "\x1b[2J", "[/x]", "x" * 3000, "sum(params)", "depth", "\u202e\n", "\ud800"),
    *([], {}, [[]], [{}], {"a": {}}, {"": None}, [1, "a"], {"noise": {}}),
)


def places_of(content: Any) -> list[tuple[Any, Any]]:
    """Return every container of a JSON value with every key of it."""
    found = []
    waiting = [content]
    while waiting:
        inside = waiting.pop()
        keys = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
        found += [(inside, key) for key in keys]
        waiting += [inside[key] for key in keys if isinstance(inside[key], dict | list)]
    return found


def mutated(original: dict[str, Any], rng: Random) -> str:
    """Return the text of a proxy file with up to three changes to its content, and now and then to its bytes."""
    content = copy.deepcopy(original)
    for _ in range(rng.randint(1, 3)):
        inside, key = rng.choice(places_of(content) if rng.random() < 0.5 else [(content, key) for key in content])
        change = rng.random()
        if change < 0.6:
            inside[key] = copy.deepcopy(rng.choice(VALUES))
        elif change < 0.8:
            del inside[key]
        elif isinstance(inside, dict):
            inside[rng.choice(("probes", "tau", "extra", "\x9b"))] = inside.pop(key)
    text = json.dumps(content)
    if rng.random() < 0.2:
        at = rng.randrange(len(text))
        text = (
            text[:at]
            + rng.choice(('"', "{", "}", "[", ",", "1e999", "NaN", "\0", "é", ""))
            + text[at + rng.randint(0, 3) :]
        )
    return text


def test_mutated_files_are_read_or_refused_in_one_line(run: Command, tmp_path: Path) -> None:
    rng = Random(19)
    originals = [json.loads(file_of(name).read_text()) for name in NAMES]
    originals.append(json.loads(written(tmp_path / "small.json", correlations=[{"task": "a", "tau": 0.5}]).read_text()))
    path = tmp_path / "p.json"
    read, messages = 0, []
    for number in range(400):
        path.write_text(mutated(rng.choice(originals), rng), encoding="utf-8")
        try:
            proxy = load_proxy(path)
        except ZcproxyError as error:
            messages.append(str(error))
            continue
        read += 1
        json.dumps(proxy.as_dict(), allow_nan=False)
        proxy.save(tmp_path / "again.json")
        assert load_proxy(tmp_path / "again.json") == proxy
        latex(proxy.formula)
        if number % 20 == 0:
            compile(export_python(proxy), "exported.py", "exec")
        if number % 4 == 0:
            code, _, err = run("proxy", "show", "p.json")
            assert code == 0 and not set(err) & set("\x1b\x9b\u202e\ud800")
    assert 50 < read < 350
    assert all(len(message) < 500 and len(message.splitlines()) == 1 for message in messages)
