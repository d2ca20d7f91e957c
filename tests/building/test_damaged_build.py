"""A build or a finished benchmark that was damaged, edited, left half-begun or shared."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from corruptions import ALL, OF_LINES

from zcproxy.benchmarks.shared.built import read_manifest
from zcproxy.building.build import build_benchmark
from zcproxy.building.configuration import BuildConfiguration
from zcproxy.building.directory import JOURNAL, PLAN
from zcproxy.building.files import CURVES, IMAGES, LABELS, MANIFEST
from zcproxy.errors import BenchmarkError, RunError, ZcproxyError
from zcproxy.names.tasks import get_task
from zcproxy.storage.claims import claimed
from zcproxy.training.recipe import Recipe

TINY = BuildConfiguration(
    "own_space:Plain", "own_space:few_digits", networks=3, seeds=1, recipe=Recipe(epochs=1, batch_size=100)
)


@pytest.fixture
def whole(own: Path) -> Path:
    build_benchmark(TINY, own / "whole")
    return own / "whole"


def test_damage_is_trained_again_or_named(whole: Path) -> None:
    for seed in range(24):
        out = whole.with_name(f"damaged-{seed}")
        shutil.copytree(whole, out)
        for name in (MANIFEST, LABELS, CURVES, IMAGES):
            (out / name).unlink()
        rng = random.Random(seed)
        path = out / rng.choice([JOURNAL, JOURNAL, PLAN])
        path.write_bytes(rng.choice(OF_LINES if path.name == JOURNAL else ALL)(path.read_bytes(), rng))
        refused = ""
        try:
            build_benchmark(TINY, out)
        except ZcproxyError as error:
            refused = str(error)
        if refused:
            assert path.name == PLAN and PLAN in refused and "\n" not in refused and not (out / MANIFEST).exists()
            continue
        for name in (LABELS, CURVES):
            assert (out / name).read_bytes() == (whole / name).read_bytes()


def test_a_damaged_manifest_is_named_or_says_the_same(whole: Path) -> None:
    place = whole / MANIFEST
    content = place.read_bytes()
    expected = read_manifest(whole)
    for seed in range(40):
        rng = random.Random(seed)
        place.write_bytes(rng.choice(ALL)(content, rng))
        refused = ""
        try:
            assert read_manifest(whole) == expected
        except BenchmarkError as error:
            refused = str(error)
        assert not refused or (MANIFEST in refused and "\n" not in refused)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"space": 5}, "'space' is 5, not text"),
        ({"space_options": {"channels": [4]}}, r"'space_options.channels' is \[4\], not a whole number or text"),
        ({"space_options": [1]}, r"'space_options' is \[1\], not an object"),
        ({"space_options": {"channels": True}}, "'space_options.channels' is true"),
        ({"input_shape": "1x2"}, "'input_shape' is \"1x2\", not a list"),
        ({"input_shape": []}, "must be positive"),
        ({"input_shape": [1, 0, 4]}, "must be positive"),
        ({"classes": 0}, "must be positive"),
        ({"classes": None}, "'classes' is null"),
        ({"seeds": 1.5}, "'seeds' is 1.5"),
        ({"agreement_of_halves": 0.5}, "not a correlation of two trainings or more"),
        ({"agreement_of_halves": 7, "seeds": 3}, "not a correlation of two trainings or more"),
        ({"agreement_of_halves": "x"}, "'agreement_of_halves' is \"x\", not a number"),
        ({"sha256": {}}, "'sha256' has no digest of labels.parquet"),
        ({"sha256": {LABELS: "0" * 64}}, "'sha256' has no digest of images.npz"),
        ({"sha256": {LABELS: 5}}, "'sha256.labels.parquet' is 5, not text"),
        ({"sha256": None}, "'sha256' is null, not an object"),
        ({"format": "1"}, "'format' is \"1\", not a whole number"),
        ({"format": 99}, "has format 99, this version reads up to 1: upgrade"),
    ],
)
def test_a_manifest_of_any_shape_is_named_with_the_field(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    content = {
        "format": 1,
        "space": "nasbench201",
        "space_options": {},
        "input_shape": [1, 12, 12],
        "classes": 10,
        "seeds": 1,
        "agreement_of_halves": None,
        "sha256": {LABELS: "0" * 64, IMAGES: "0" * 64},
    }
    (tmp_path / MANIFEST).write_text(json.dumps({**content, **change}))
    with pytest.raises(BenchmarkError, match=message) as raised:
        get_task(str(tmp_path))
    assert MANIFEST in str(raised.value) and "\n" not in str(raised.value)
    for name in content:
        (tmp_path / MANIFEST).write_text(json.dumps({key: value for key, value in content.items() if key != name}))
        with pytest.raises(BenchmarkError, match=f"'{name}' is missing"):
            get_task(str(tmp_path))


@pytest.mark.parametrize(
    "change",
    [
        lambda plan: {**plan, "architectures": [5]},
        lambda plan: {**plan, "configuration": 5},
        lambda plan: {**plan, "configuration": {**plan["configuration"], "colour": "red"}},
        lambda plan: {**plan, "configuration": {**plan["configuration"], "networks": "3"}},
        lambda plan: {key: plan[key] for key in ("configuration", "architectures")},
    ],
)
def test_a_plan_of_any_shape_is_one_line(whole: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    plan = json.loads((whole / PLAN).read_text())
    del plan["sum"]
    (whole / PLAN).write_text(json.dumps(change(plan)))
    with pytest.raises(RunError, match=r"build\.json: ") as raised:
        build_benchmark(TINY, whole)
    assert "\n" not in str(raised.value)


def test_a_build_is_held_and_takes_over_what_a_killed_first_write_left(own: Path) -> None:
    (own / "b").mkdir()
    (own / "b" / ".build.json.1.partial").write_text("{")
    with claimed(own / "b"), pytest.raises(RunError, match="another zcproxy process works in"):
        build_benchmark(TINY, own / "b")
    build_benchmark(TINY, own / "b")
    assert not list((own / "b").glob(".*"))
