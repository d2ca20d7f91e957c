"""Epochs in MLflow: logged into a database, read back by its client."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from callbacks.logged import epochs
from zcproxy.callbacks import MLflow

REASON = "logs into MLflow: pip install 'zcproxy[mlflow]'"
mlflow = pytest.importorskip("mlflow", reason=REASON)
pytest.importorskip("sqlalchemy", reason=REASON)
pytest.importorskip("alembic", reason=REASON)
# MLflow calls what SQLAlchemy 2.1 calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database for all tests: MLflow takes seconds to make one."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}"


@pytest.fixture
def store(database: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[str]:
    """What MLflow logs into, with an experiment per test, and nothing that it sends anywhere."""
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", database)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", request.node.name)
    yield database
    while mlflow.active_run() is not None:
        mlflow.end_run()


def runs(store: str, experiment: str = "") -> list[Any]:
    """Return the runs of an experiment, the first one first."""
    client, experiment = mlflow.MlflowClient(store), experiment or os.environ["MLFLOW_EXPERIMENT_NAME"]
    found = client.search_runs([client.get_experiment_by_name(experiment).experiment_id])
    return sorted(found, key=lambda each: each.info.start_time)


def history(store: str, run_id: str, name: str) -> list[tuple[int, float]]:
    return [(each.step, each.value) for each in mlflow.MlflowClient(store).get_metric_history(run_id, name)]


def test_every_epoch_is_a_step_of_a_run(store: str) -> None:
    logger = MLflow(store, run_name="mine")
    for epoch in epochs():
        logger(epoch)
    assert runs(store)[0].info.status == "RUNNING"
    logger.close()
    (found,) = runs(store)
    assert (found.info.status, found.info.run_name) == ("FINISHED", "mine")
    assert found.data.params == {"generations": "10", "probes": "noise, ones", "key": "a|b"}
    assert found.data.tags["formula"] == "sum(log(params)) * 3"
    assert history(store, found.info.run_id, "tau/training") == [(1, 0.51), (2, 0.52), (3, 0.53)]
    assert history(store, found.info.run_id, "tau/validation") == [(1, 0.25), (2, 0.25)]
    assert found.data.metrics["formula/nodes"] == 6 and found.data.metrics["time/formulas_per_second"] == 1000


def test_each_fit_and_each_copy_has_a_run(store: str) -> None:
    logger = MLflow(experiment="own")
    for epoch in [*epochs(2), *epochs(3)]:
        logger(epoch)
    copied = copy.deepcopy(logger)
    logger.close()
    copied(epochs(1)[0])
    copied.close()
    found = runs(store, "own")
    assert sorted(len(history(store, each.info.run_id, "tau/training")) for each in found) == [1, 2, 3]
    assert {each.info.status for each in found} == {"FINISHED"}


def test_inside_a_run_of_the_user_it_is_a_child(store: str) -> None:
    mlflow.set_experiment("outer")
    with mlflow.start_run() as outer:
        logger = MLflow()
        logger(epochs(1)[0])
        logger.close()
    (child,) = [each for each in runs(store, "outer") if each.info.run_id != outer.info.run_id]
    assert child.data.tags["mlflow.parentRunId"] == outer.info.run_id


def test_a_run_of_the_command_line_is_logged(run: Command, store: str) -> None:
    small = ("--networks", "24", "--test-networks", "8", "--probes", "noise", "--workers", "1", "--new-columns", "0")
    code, _, error = run("evolve", "digits201", *small, "--generations", "5", "--out", "run", "--log", "mlflow")
    assert code == 0, error
    (found,) = runs(store)
    assert found.info.run_name == "run" and found.data.params["networks"] == "24"
    assert -1 <= found.data.metrics["tau/validation"] <= 1


def test_a_store_that_cannot_be_reached_does_not_stop_the_run(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'file' / 'mlflow.db'}")
    small = ("--networks", "24", "--test-networks", "8", "--probes", "noise", "--workers", "1", "--new-columns", "0")
    code, out, _ = run("evolve", "digits201", *small, "--generations", "10", "--out", "run", "--log", "mlflow")
    assert code == 0 and "hall of fame" in out
    assert caplog.text.count("nothing more is logged in mlflow") == 1
