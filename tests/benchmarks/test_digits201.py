"""The embedded benchmark: what its folder holds, and that the command of its README made it."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import zcproxy.benchmarks
from zcproxy.building.files import CURVES, IMAGES, LABELS, MANIFEST
from zcproxy.building.job import build_network, costs_of, materials_of
from zcproxy.correlation import kendall_tau
from zcproxy.models.costs import Costs
from zcproxy.names.tasks import DEFAULT_TASK, get_task, task_names
from zcproxy.random import derive_seed
from zcproxy.training.recipe import Recipe
from zcproxy.training.train import train

FOLDER = Path(zcproxy.benchmarks.__file__).with_name(DEFAULT_TASK)


@pytest.fixture(scope="module")
def labels() -> pd.DataFrame:
    return pd.read_parquet(FOLDER / LABELS)


def test_it_holds_five_hundred_different_architectures_in_less_than_500_kilobytes(labels: pd.DataFrame) -> None:
    task = get_task(DEFAULT_TASK)
    assert task_names()[0] == task.name == DEFAULT_TASK
    architectures = task.architectures("all")
    assert len({task.space.prune(architecture) for architecture in architectures}) == len(labels) >= 500
    files = {path.name for path in FOLDER.iterdir() if path.suffix != ".py" and path.name != "__pycache__"}
    assert files == {MANIFEST, LABELS, CURVES, IMAGES, "README.md"}
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 500_000


def test_two_halves_of_the_trainings_agree_as_the_manifest_says(labels: pd.DataFrame) -> None:
    seeds = labels.filter(regex=r"^accuracy_\d").dropna().to_numpy()
    assert seeds.shape[1] == 5
    divisions = [
        kendall_tau(seeds[:, list(first)].mean(1), seeds[:, list(second)].mean(1))
        for first, second in itertools.combinations(itertools.combinations(range(5), 2), 2)
        if not set(first) & set(second)
    ]
    halves = float(np.mean(divisions))
    manifest = json.loads((FOLDER / MANIFEST).read_text())
    assert manifest["agreement_of_halves"] == pytest.approx(halves, abs=0.01)
    ceiling = get_task(DEFAULT_TASK).noise_ceiling()
    assert ceiling is not None
    assert ceiling > max(halves, 0.75)


def test_labels_and_costs_are_those_of_its_networks(labels: pd.DataFrame) -> None:
    manifest = json.loads((FOLDER / MANIFEST).read_text())
    space, dataset = materials_of(manifest["space"], tuple(manifest["space_options"].items()), manifest["dataset"])
    assert dataset.fingerprint() == manifest["dataset_fingerprint"]
    for row in labels.iloc[::40].itertuples():
        costs = Costs(row.params, round(row.flops * 1e6), row.convolutions)
        assert costs_of(space, row.arch, dataset) == costs
    row = labels.sort_values("flops").iloc[100]
    seed = derive_seed(space.name, "training", 0)
    trained = train(build_network(space, row["arch"], dataset, seed), dataset, Recipe(**manifest["recipe"]), seed)
    # Equal where the processor adds in the same order; elsewhere rounding grows to a few points over a training.
    assert trained.accuracy == pytest.approx(row["accuracy_0"], abs=8)
