from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from zcproxy.building import job
from zcproxy.building.build import build_benchmark
from zcproxy.building.configuration import BuildConfiguration
from zcproxy.building.directory import JOURNAL
from zcproxy.building.files import CURVES, LABELS, MANIFEST
from zcproxy.cli.app import main
from zcproxy.correlation import kendall_tau
from zcproxy.errors import BenchmarkError, ConfigurationError, RunError, ZcproxyError
from zcproxy.evolve import Configuration, Limits, evolve
from zcproxy.names.tasks import get_task
from zcproxy.training.recipe import Recipe

SMALL = BuildConfiguration(
    "own_space:Plain", "own_space:few_digits", networks=8, seeds=2, recipe=Recipe(epochs=2, batch_size=50)
)


def test_labels_are_the_mean_of_trainings_that_learned_something(own: Path) -> None:
    done = []
    trained = build_benchmark(SMALL, own / "b", progress=lambda *counts: done.append(counts))
    assert done == [(number, 8) for number in range(9)]
    labels = pd.read_parquet(own / "b" / LABELS)
    curves = pd.read_parquet(own / "b" / CURVES)
    assert labels["arch"].nunique() == len(labels) == 8
    assert np.allclose(labels["accuracy"], labels[["accuracy_0", "accuracy_1"]].mean(axis=1))
    assert (labels["accuracy_0"] != labels["accuracy_1"]).any()
    last = curves[curves["epoch"] == 1]
    assert np.allclose(last["test_accuracy"], [t.accuracy for item in trained for t in item.trainings], atol=1e-4)
    first = curves[curves["epoch"] == 0]
    assert last["train_loss"].mean() < first["train_loss"].mean()
    task = get_task(str(own / "b"))
    assert list(task.architectures("all")) == labels["arch"].tolist()
    assert np.array_equal(task.labels(labels["arch"][::-1]), labels["accuracy"][::-1])
    for arch, params in zip(labels["arch"], labels["params"], strict=True):
        assert sum(parameter.numel() for parameter in task.build(arch).parameters()) == params
    batch = task.batch(20)
    assert batch.inputs.shape == (20, 1, 12, 12)
    assert sorted(set(batch.targets[:10].tolist())) == list(range(10))


def test_the_noise_ceiling_comes_from_two_halves_of_the_trainings(own: Path) -> None:
    build_benchmark(replace(SMALL, seeds=4, recipe=Recipe(epochs=1, batch_size=50)), own / "b")
    labels = pd.read_parquet(own / "b" / LABELS)
    pairs = [((0, 2), (1, 3)), ((3, 1), (0, 2))] * 2
    taus = [kendall_tau(*(sum(labels[f"accuracy_{seed}"] for seed in half) for half in halves)) for halves in pairs]
    halves = float(np.mean(taus))
    assert json.loads((own / "b" / MANIFEST).read_text())["agreement_of_halves"] == pytest.approx(halves)
    ceiling = get_task(str(own / "b")).noise_ceiling()
    assert ceiling is not None
    assert halves < ceiling < 1 or halves <= 0


def test_the_table_does_not_depend_on_the_number_of_workers(own: Path) -> None:
    build_benchmark(SMALL, own / "one")
    build_benchmark(SMALL, own / "two", workers=2)
    for name in (LABELS, CURVES):
        assert (own / "one" / name).read_bytes() == (own / "two" / name).read_bytes()


def test_a_build_killed_twice_and_resumed_gives_the_table_of_an_uninterrupted_one(own: Path) -> None:
    build_benchmark(SMALL, own / "whole")
    code = (
        "from pathlib import Path; from zcproxy.building.build import *; from zcproxy.training.recipe import Recipe\n"
        "build_benchmark(BuildConfiguration('own_space:Plain', 'own_space:few_digits', networks=8, seeds=2,"
        " recipe=Recipe(epochs=2, batch_size=50)), Path('killed'))"
    )
    for wanted in (2, 5):
        with subprocess.Popen([sys.executable, "-c", code], cwd=own) as process:
            while process.poll() is None and _lines(own / "killed" / JOURNAL) < wanted:
                time.sleep(0.01)
            os.kill(process.pid, signal.SIGKILL)
        assert not (own / "killed" / MANIFEST).exists()
    with (own / "killed" / JOURNAL).open("a") as journal:
        journal.write('{"arch": "torn')
    before = _lines(own / "killed" / JOURNAL)
    done: list[int] = []
    build_benchmark(SMALL, own / "killed", progress=lambda count, _: done.append(count))
    assert done[0] >= min(before, 5)
    for name in (LABELS, CURVES):
        assert (own / "killed" / name).read_bytes() == (own / "whole" / name).read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files by RLIMIT_FSIZE")
def test_a_build_goes_on_after_a_full_disk(own: Path) -> None:
    build_benchmark(SMALL, own / "whole")
    code = (
        "import resource; from pathlib import Path; from zcproxy.errors import StorageError\n"
        "from zcproxy.building.build import *; from zcproxy.training.recipe import Recipe\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))\n"
        "try:\n"
        "    build_benchmark(BuildConfiguration('own_space:Plain', 'own_space:few_digits', networks=8, seeds=2,"
        " recipe=Recipe(epochs=2, batch_size=50)), Path('full'))\n"
        "except StorageError as error:\n"
        "    print(error)"
    )
    finished = subprocess.run(
        [sys.executable, "-B", "-c", code], cwd=own, capture_output=True, text=True, timeout=250, check=True
    )
    assert finished.stdout.startswith("cannot write full/trainings.jsonl"), finished.stderr
    assert 0 < _lines(own / "full" / JOURNAL) < 8
    build_benchmark(SMALL, own / "full")
    for name in (LABELS, CURVES):
        assert (own / "full" / name).read_bytes() == (own / "whole" / name).read_bytes()


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def test_a_diverged_training_is_recorded_as_that(own: Path) -> None:
    wild = replace(SMALL, networks=4, recipe=Recipe(epochs=2, batch_size=50, learning_rate=1e18))
    with pytest.raises(BenchmarkError, match="every training diverged: give a lower `learning_rate`"):
        build_benchmark(wild, own / "b")
    entries = [json.loads(line) for line in (own / "b" / JOURNAL).read_text().splitlines()]
    assert all(training["diverged"] for entry in entries for training in entry["trainings"])
    assert not (own / "b" / MANIFEST).exists()


def test_a_network_that_is_too_large_for_the_device_leaves_the_others(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = replace(SMALL, networks=3, seeds=1, recipe=Recipe(epochs=1, batch_size=50))
    trained, calls = job.train, []

    def train(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
        return trained(*arguments)

    monkeypatch.setattr(job, "train", train)
    with pytest.raises(BenchmarkError, match=r"with a batch of 50 .*: give a smaller batch") as refused:
        build_benchmark(few, own / "b")
    assert str(refused.value).endswith("(2 of 3 networks are trained and kept, 1 are too large)")
    assert len(build_benchmark(few, own / "b")) == 3
    assert len(calls) == 4


def test_a_built_benchmark_feeds_evolution(own: Path) -> None:
    build_benchmark(replace(SMALL, networks=24, seeds=1, recipe=Recipe(epochs=1, batch_size=50)), own / "b")
    configuration = Configuration(
        (str(own / "b"),), networks=16, probes=("noise", "chunks"), batch_size=4, islands=2, island_size=20
    )
    result = evolve(configuration, Limits(generations=4), own / "run", cache=own / "cache")
    (found,) = result.test.values()
    assert found.networks == 8
    assert -1 <= found.tau <= 1


def test_stratified_networks_spread_over_their_cost(own: Path) -> None:
    wide = replace(SMALL, networks=12, seeds=1, recipe=Recipe(epochs=1, batch_size=50))
    build_benchmark(wide, own / "uniform")
    build_benchmark(replace(wide, sampling="stratified"), own / "stratified")
    spreads = {
        name: np.histogram(np.log(pd.read_parquet(own / name / LABELS)["flops"]), bins=6)[0].max()
        for name in ("uniform", "stratified")
    }
    assert spreads["stratified"] <= spreads["uniform"]
    assert json.loads((own / "stratified" / MANIFEST).read_text())["sampling"] == "stratified"


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"networks": 49}, BenchmarkError, "49 networks asked for, the space plain has 48 different ones"),
        ({"dataset": "own_space:one_class"}, BenchmarkError, "one class only"),
        ({"dataset": "own_space:varying_shapes"}, BenchmarkError, "image 1 is .* image 0 is .* resize"),
        ({"dataset": "own_space:number"}, ConfigurationError, "own_space:number .* cannot be called"),
        ({"dataset": "digit"}, ConfigurationError, "unknown dataset 'digit'.*did you mean digits"),
        ({"dataset": "cifar10:nowhere"}, BenchmarkError, "data_batch_1 is missing"),
        ({"space": "own_space:ElevenClasses"}, BenchmarkError, "logits of shape \\(2, 11\\).*10 classes"),
        ({"space": "own_space:number"}, BenchmarkError, "not a search space, it has no 'name'"),
        ({"space": "nasbench"}, ConfigurationError, "unknown space 'nasbench'.*nasbench201"),
        ({"space_options": {"chanels": 6}, "space": "nasbench201"}, ConfigurationError, "did you mean channels"),
        ({"device": "cuda:99"}, ConfigurationError, "the device 'cuda:99' is not available"),
    ],
)
def test_bad_input_is_one_clear_line(
    own: Path, changes: dict[str, object], kind: type[ZcproxyError], message: str
) -> None:
    with pytest.raises(kind, match=message) as caught:
        build_benchmark(replace(SMALL, **changes), own / "b")
    assert "\n" not in str(caught.value)
    assert not (own / "b").exists()


def test_the_folder_of_another_build_is_left_alone(own: Path) -> None:
    build_benchmark(replace(SMALL, networks=2, seeds=1), own / "b")
    before = {path.name: path.read_bytes() for path in (own / "b").iterdir()}
    with pytest.raises(RunError, match="holds a build with seeds = 1, not 3"):
        build_benchmark(replace(SMALL, networks=2, seeds=3), own / "b")
    assert before == {path.name: path.read_bytes() for path in (own / "b").iterdir()}
    with pytest.raises(RunError, match="holds no build"):
        build_benchmark(SMALL, own)


def test_a_minibatch_has_no_more_images_than_the_dataset(own: Path) -> None:
    wanted = replace(SMALL, recipe=Recipe(batch_size=60_000))
    with pytest.raises(ConfigurationError, match=r"batch_size=60000 is more than the \d+ training images"):
        build_benchmark(wanted, own / "b")
    assert not (own / "b").exists()


@pytest.mark.parametrize("name", [LABELS, MANIFEST])
def test_a_changed_benchmark_is_refused(own: Path, name: str) -> None:
    build_benchmark(replace(SMALL, networks=2, seeds=1), own / "b")
    (own / "b" / name).write_bytes(b"{}")
    with pytest.raises(BenchmarkError, match=r"build the benchmark again|no 'space'|cannot read"):
        get_task(str(own / "b")).architectures("all")


def test_the_command(own: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    command = (
        "zcproxy benchmark build --space nasbench201 --space-option channels=4 --space-option cells=1 "
        "--dataset own_space:few_digits --networks 3 --seeds 2 --epochs 1 --workers 1 --out b"
    )
    monkeypatch.setattr(sys, "argv", command.split())
    with pytest.raises(SystemExit) as ended:
        main()
    shown = capsys.readouterr().err
    assert ended.value.code == 0
    assert "3 architectures" in shown
    assert "next: zcproxy evolve b" in shown
    assert get_task("b").build(get_task("b").architectures("all")[0]).stem[0].out_channels == 4
