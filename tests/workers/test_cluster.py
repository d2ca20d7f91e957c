"""Jobs on a Dask cluster: the same results, from workers that have no files, that are killed, and that do not fit."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from zcproxy.building.build import build_benchmark
from zcproxy.building.configuration import BuildConfiguration
from zcproxy.columns.context import Context
from zcproxy.columns.sweep import sweep
from zcproxy.errors import ConfigurationError, RunError
from zcproxy.evolve import Configuration, Limits, evolve
from zcproxy.names.scorers import resolve_scorers
from zcproxy.names.tasks import get_task
from zcproxy.primitives import parse
from zcproxy.ranking.files import frame
from zcproxy.ranking.table import Plan, build_table
from zcproxy.search import SearchConfiguration, Setting, search
from zcproxy.training.recipe import Recipe
from zcproxy.workers import cluster as clusters
from zcproxy.workers.cluster import KEEPS_LOST_WORKERS, cluster, prepare
from zcproxy.workers.jobs import as_completed_jobs, in_order
from zcproxy.workers.pool import feeder, worker_pool

dask = pytest.importorskip("dask", reason="needs the extra `cluster`")
distributed = pytest.importorskip("distributed", reason="needs the extra `cluster`")

SMALL = Configuration(
    ("digits201",), networks=24, test_networks=10, probes=("noise", "data"), islands=2, island_size=30, new_columns=2
)
CLOCK = re.compile(r'"(seconds|sum)": ("[0-9a-f]+"|[0-9.]+)')
"""What a clock wrote into a file, and the checksum of that."""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the workers: they have nothing of this process."""
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture(scope="module")
def client(elsewhere: Path) -> Iterator[Any]:
    env = {"ZCPROXY_CACHE": str(elsewhere / "cache"), "ZCPROXY_DATA": str(elsewhere / "data"), "OMP_NUM_THREADS": "1"}
    with (
        dask.config.set(KEEPS_LOST_WORKERS),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs="CRITICAL", env=env
        ) as started,
        distributed.Client(started, set_as_default=False) as found,
    ):
        yield found


@pytest.fixture
def executor(client: Any) -> Executor:
    return client.get_executor(pure=False)  # type: ignore[no-any-return]


def files_of(path: Path) -> dict[str, str]:
    """Return the texts of a folder without what a clock wrote."""
    texts = {
        str(file.relative_to(path)): file for file in path.rglob("*") if file.suffix in (".json", ".csv", ".jsonl")
    }
    return {name: CLOCK.sub("", file.read_text()) for name, file in texts.items()}


def test_evolution_is_the_same_and_workers_are_sent_what_they_read(
    executor: Executor, elsewhere: Path, tmp_path: Path
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    evolve(SMALL, Limits(generations=10), here, workers=1, cache=tmp_path / "first")
    evolve(SMALL, Limits(generations=10), there, executor=executor, cache=tmp_path / "second")
    assert files_of(here) == files_of(there) and len(files_of(here)) > 6
    assert not (elsewhere / "cache").exists()


def test_a_table_a_search_and_a_benchmark_are_the_same(executor: Executor, elsewhere: Path, tmp_path: Path) -> None:
    prepare(executor)
    plan, scorers = Plan(networks=8, resamples=20), resolve_scorers("synflow,naswot")
    tables = [
        frame([build_table("digits201", scorers, plan, executor=each, cache=tmp_path / str(number))])
        for number, each in enumerate((None, executor))
    ]
    assert tables[0].drop(columns="seconds").equals(tables[1].drop(columns="seconds"))
    setting = Setting("digits201", formula="sum(log(l1_norm(weight)))")
    configuration = SearchConfiguration(setting, ("proxy",), ("macs",), evaluations=8, population=4)
    fronts = [
        search(configuration, tmp_path / f"search{number}", executor=each, cache=tmp_path / f"cache{number}").front
        for number, each in enumerate((None, executor))
    ]
    assert fronts[0].drop(columns="seconds", errors="ignore").equals(fronts[1].drop(columns="seconds", errors="ignore"))
    building = BuildConfiguration(
        space="digits_cells", dataset="digits", networks=2, seeds=1, recipe=Recipe(epochs=1, batch_size=128)
    )
    trained = [
        build_benchmark(building, tmp_path / f"built{number}", executor=each)
        for number, each in enumerate((None, executor))
    ]
    assert [item.label for item in trained[0]] == [item.label for item in trained[1]]
    assert not (elsewhere / "cache").exists()


def test_workers_that_are_killed_lose_nothing(client: Any, executor: Executor, tmp_path: Path) -> None:
    prepare(executor)
    task = get_task("digits201")
    networks, columns = task.architectures("all")[:60], [parse("l1_norm(weight)"), parse("max(grad(weight)@data)")]
    over, killed = threading.Event(), []

    def kill() -> None:
        rng = np.random.default_rng(0)
        while not over.wait(0.7) and len(killed) < 3:
            known = [worker["pid"] for worker in _workers(client) if worker["pid"] not in killed]
            if known:
                killed.append(known[rng.integers(len(known))])
                os.kill(killed[-1], signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    rounds = 0
    try:
        while len(killed) < 3:
            rounds += 1
            table = sweep(Context(task), networks, columns, executor=executor, cache=tmp_path / f"there{rounds}")
    finally:
        over.set()
        thread.join()
    expected = sweep(Context(task), networks, columns, cache=tmp_path / "here")
    assert all(np.array_equal(values, expected.values[column]) for column, values in table.values.items())


def _workers(client: Any) -> list[dict[str, Any]]:
    known = client.run(lambda: {"pid": os.getpid()}, on_error="ignore")
    return list(known.values())


@pytest.mark.parametrize("run", [in_order, as_completed_jobs])
def test_a_job_that_ends_every_worker_is_named(executor: Executor, run: Callable[..., Iterator[Any]]) -> None:
    def die(name: str) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(RunError, match=r"measuring x ended every worker of the cluster that tried it") as refused:
        list(run(executor, die, [("x",)], lambda name: f"measuring {name}"))
    assert "\n" not in str(refused.value)


def test_failures_of_jobs_come_back_as_they_are(executor: Executor) -> None:
    def fail() -> None:
        raise RunError("no such thing")

    with pytest.raises(RunError, match="no such thing"):
        list(in_order(executor, fail, [()]))


def test_a_worker_of_another_version_is_named(executor: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    from zcproxy.workers import readiness

    known = readiness.versions()
    monkeypatch.setattr(readiness, "versions", lambda: {**known, "torch": "1.0"})
    with (
        pytest.raises(ConfigurationError, match=r"the worker tcp://.* has torch .*, the one who asks 1\.0: install"),
        worker_pool(1, executor),
    ):
        pass


def test_workers_of_several_threads_and_no_workers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "SECONDS_TO_CONNECT", 2)
    options = {"dashboard_address": ":0", "silence_logs": "CRITICAL"}
    with distributed.LocalCluster(n_workers=1, threads_per_worker=2, **options) as started:
        address = started.scheduler_address
        with pytest.raises(ConfigurationError, match="runs 2 jobs at once in one process"), cluster(address):
            pass
    with distributed.LocalCluster(n_workers=0, **options) as started:
        address = started.scheduler_address
        with pytest.raises(ConfigurationError, match=f"at {address} has no worker after 2 s"), cluster(address):
            pass


def test_a_scheduler_is_found_by_the_file_it_writes(client: Any, tmp_path: Path) -> None:
    file = tmp_path / "scheduler.json"
    file.write_text(json.dumps({"address": client.scheduler.address}))
    with cluster(str(file)) as found:
        assert list(in_order(found, lambda one: one + 1, [(1,), (2,)])) == [2, 3]


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"address": 3}', "\xff"])
def test_another_file_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "scheduler.json"
    file.write_text(content, encoding="latin-1")
    with pytest.raises(ConfigurationError), cluster(str(file)):
        pass


@pytest.mark.parametrize(
    "address", ["nowhere", "local:0", "local:x", "tcp://host", "tcp://127.0.0.1:99999999", " ", "a:b"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ConfigurationError, match="is no cluster"), cluster(address):
        pass


def test_a_scheduler_file_that_is_not_there_is_said() -> None:
    with pytest.raises(ConfigurationError, match=r"there is no file 'nowhere\.json'"), cluster("nowhere.json"):
        pass


def test_nobody_there_is_said_within_ten_seconds() -> None:
    started = time.monotonic()
    with pytest.raises(ConfigurationError, match="no Dask scheduler answers"), cluster("tcp://127.0.0.1:9"):
        pass
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("says", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0" * 64, bytes([1, *[0] * 7] * 9)])
def test_somebody_else_there_is_said(monkeypatch: pytest.MonkeyPatch, says: bytes) -> None:
    monkeypatch.setattr(clusters, "SECONDS_TO_CONNECT", 2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_answer, args=(server, says), daemon=True).start()
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(ConfigurationError, match="no Dask scheduler answers"), cluster(address):
            pass


def _answer(server: socket.socket, says: bytes) -> None:
    """Send a text to whoever connects, as a server that knows nothing of Dask."""
    kept = []
    with contextlib.suppress(OSError):  # the test is over
        while True:
            kept.append(server.accept()[0])
            kept[-1].sendall(says)


def test_the_option_gives_the_same_files_as_processes(tmp_path: Path) -> None:
    def table(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "zcproxy", "table", "digits201", "--proxies", "synflow", "--networks", "12"]
        environment = {**os.environ, "ZCPROXY_CACHE": str(tmp_path / "-".join(options))}
        return subprocess.run(
            [*command, *options],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )

    for name, options in (("processes", ["--workers", "2"]), ("cluster", ["--cluster", "local:2"])):
        done = table(*options, "--out", name)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr and "Warning" not in done.stderr
    tables = [pd.read_csv(tmp_path / name / "table.csv") for name in ("processes", "cluster")]
    assert tables[0].drop(columns="seconds").equals(tables[1].drop(columns="seconds"))
    for name in ("digits201-scores.csv", "significance.csv", "table.tex"):
        assert (tmp_path / "processes" / name).read_bytes() == (tmp_path / "cluster" / name).read_bytes()
    refused = table("--cluster", "local:2", "--workers", "2")
    assert refused.returncode == 2 and "give one of the two" in refused.stderr


def test_a_gpu_is_fed_by_one_process_or_by_the_workers_of_a_cluster(executor: Executor) -> None:
    with worker_pool(2) as processes:
        assert feeder(processes, "cpu") is processes
        assert feeder(processes, "cuda") is feeder(processes, "mps") is feeder(None, "cuda:1") is None
    assert feeder(executor, "cuda") is executor
