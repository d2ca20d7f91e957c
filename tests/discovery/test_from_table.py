"""`zcproxy benchmark from-table`: a folder of a benchmark from a table and a factory."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from zcproxy.benchmarks.shared.built import IMAGES, LABELS, MANIFEST
from zcproxy.building.from_table import TableSource, benchmark_from_table
from zcproxy.errors import BenchmarkError, ConfigurationError, RunError
from zcproxy.names.tasks import built_task, get_task
from zcproxy.testing import check_task
from zcproxy.user_code.permission import one_command

Run = Callable[..., tuple[int, str, str]]

BUILD, MODELS = "trained_nets:build", "trained_nets:models"
SHAPE = (1, 6, 6)


def _source(model: str = BUILD, data: str = "", classes: int | None = None) -> TableSource:
    return TableSource(Path("results.csv"), model, SHAPE, classes, data)


@pytest.mark.parametrize("model", [BUILD, MODELS])
def test_the_folder_is_a_task(folder: Path, trained: pd.DataFrame, model: str) -> None:
    benchmark_from_table(_source(model), Path("mine"))
    task = get_task("mine")
    check_task(task)
    assert list(task.architectures("all")) == trained["architecture"].tolist()
    assert task.labels(["1-2-1"])[0] == pytest.approx(100 * trained["accuracy"][0])
    assert task.classes == 10
    assert task.batch(100).inputs.shape == (100, *SHAPE)


def test_samples_of_the_user_are_carried(folder: Path) -> None:
    benchmark_from_table(_source(data="trained_nets:samples"), Path("mine"))
    assert (folder / "mine" / IMAGES).is_file()
    batch = get_task("mine").batch(10)
    assert sorted(batch.targets.tolist()) == list(range(10))
    with pytest.raises(BenchmarkError, match="a batch of 41 images is not available"):
        get_task("mine").batch(41)


def test_nothing_of_the_folder_runs_unless_it_is_named(folder: Path) -> None:
    benchmark_from_table(_source(), Path("mine"))
    with one_command(), pytest.raises(ConfigurationError, match=f"names code, {BUILD}.*allow_code={BUILD}"):
        get_task("mine")
    with one_command():
        assert built_task(Path("mine"), allow_code=[BUILD]).build("1-2-1") is not None


def test_columns_follow_the_code_of_the_factory(folder: Path) -> None:
    benchmark_from_table(_source(MODELS), Path("mine"))
    first = built_task(Path("mine"))
    stored = [first.stored_as(name) for name in ("1-2-1", "1-2-3")]  # type: ignore[attr-defined]
    assert len(set(stored)) == 2 and all("-1 #" in text or "-3 #" in text for text in stored)


def test_the_same_again_is_left_and_another_one_refused(folder: Path, trained: pd.DataFrame) -> None:
    benchmark_from_table(_source(), Path("mine"))
    before = {name: (folder / "mine" / name).stat().st_mtime_ns for name in (LABELS, MANIFEST)}
    benchmark_from_table(_source(), Path("mine"))
    assert {name: (folder / "mine" / name).stat().st_mtime_ns for name in before} == before
    with pytest.raises(RunError, match="mine holds another benchmark, its 'model' differs"):
        benchmark_from_table(_source(MODELS), Path("mine"))
    (folder / "other").mkdir()
    (folder / "other" / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="other holds other files"):
        benchmark_from_table(_source(), Path("other"))


def test_networks_that_fail_are_named_and_the_others_go_on(
    folder: Path, trained: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    pd.concat([trained, pd.DataFrame({"architecture": ["wide"], "accuracy": [0.5]})]).to_csv("results.csv", index=False)
    labels, checked = benchmark_from_table(_source(), Path("mine"))
    assert len(labels) == 24 and list(checked.failed) == ["wide"]
    assert "network 'wide' cannot be built: ValueError: invalid literal" in checked.failed["wide"]
    assert "left out, 24 networks are left: 'wide'" in caplog.text


def test_too_few_networks_say_how_many_are_needed(folder: Path) -> None:
    with pytest.raises(BenchmarkError, match="24 of 24 networks can be used, 30 are needed"):
        benchmark_from_table(_source(), Path("mine"), least=30)
    with pytest.raises(BenchmarkError, match=r"0 of 24 networks can be used, 2 are needed; .* gives 10 logits, expec"):
        benchmark_from_table(_source(classes=7), Path("mine"))
    assert not (folder / "mine").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("architecture,accuracy\n1-2-1,0.5\n1-4-1,0.5\n", "all 2 labels equal 50"),
        ("architecture,accuracy\n1-2-1,0.5\n1-2-1,0.6\n", "row 2 .* '1-2-1' again"),
        ("name,accuracy\n1-2-1,0.5\n", "results.csv has no column 'architecture'"),
        ('architecture,accuracy\n"1-2-1,0.5\n', "is not a CSV file"),
        ("", "is not a CSV file"),
    ],
)
def test_a_wrong_table_is_named(folder: Path, text: str, message: str) -> None:
    (folder / "results.csv").write_text(text)
    with pytest.raises(BenchmarkError, match=message):
        benchmark_from_table(_source(), Path("mine"))


def test_a_missing_table_and_unknown_models_are_named(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="'trained_nets' has no 'buidl'"):
        benchmark_from_table(_source("trained_nets:buidl"), Path("mine"))
    (folder / "results.csv").unlink()
    with pytest.raises(BenchmarkError, match=r"cannot read the table results.csv"):
        benchmark_from_table(_source(), Path("mine"))


def test_a_manifest_says_what_makes_the_networks(folder: Path) -> None:
    benchmark_from_table(_source(), Path("mine"))
    place = folder / "mine" / MANIFEST
    content = json.loads(place.read_text())
    del content["sum"], content["model"]
    place.write_text(json.dumps(content))
    with pytest.raises(BenchmarkError, match="'space' is missing, or 'model'"):
        get_task("mine")


def test_every_command_takes_the_folder(folder: Path, run: Run) -> None:
    options = ("--model", BUILD, "--input", "1x6x6", "--classes", "10", "--out", "mine")
    code, _, errors = run("benchmark", "from-table", "results.csv", *options)
    assert code == 0, errors
    assert "24 networks" in errors and f"zcproxy evolve mine --allow-code {BUILD}" in errors
    code, out, errors = run("table", "mine", "--proxies", "synflow,snip", "--allow-code", BUILD)
    assert code == 0 and "synflow" in out and "Gaussian noise" in errors, errors
    code, _, errors = run("score", "sum(params)", "mine", "--allow-code", BUILD, "--out", "scores.csv")
    assert code == 0 and len(pd.read_csv("scores.csv")) == 24, errors
    code, _, errors = run("score", "sum(params)", "mine")
    assert code == 2 and f"--allow-code {BUILD}" in errors
