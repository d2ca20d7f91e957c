"""Label tables that tests make themselves: drawn networks of a space, with accuracies that nobody measured."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pandas as pd
import pytest
import torch

from zcproxy.benchmarks.shared.imported import imported_path, write_imported
from zcproxy.benchmarks.shared.label_table import ARCHITECTURE, TableSource
from zcproxy.benchmarks.shared.table_task import TableTask
from zcproxy.contracts.task import SearchSpace
from zcproxy.names.tasks import get_task, task_names
from zcproxy.random import array_generator

NETWORKS = {"nasbench201": 800, "nats_sss": 800, "DARTS_in": 121}
"""Networks of a table, by the names of its benchmark or its own; the others have `FEW`."""
FEW = 12


def drawn_networks(space: SearchSpace, count: int, seed: str = "") -> list[str]:
    """Return as many networks of a space, no two of one text."""
    rng = Random(f"{space.name} {seed}")
    found: dict[str, None] = {}
    while len(found) < count:
        found[space.sample(rng)] = None
    return list(found)


def made_table(source: TableSource, space: SearchSpace, networks: int) -> pd.DataFrame:
    """Return a table with the columns of a source: numbers from 20 to 90, drawn at random."""
    texts = drawn_networks(space, networks, source.name)
    rng = array_generator("made tables", source.name)
    columns = {name: rng.uniform(20.0, 90.0, len(texts)) for name in source.columns}
    return pd.DataFrame({ARCHITECTURE: texts, **columns})


def write_tables(directory: Path) -> None:
    """Fill a data directory with a table for every task of the package that needs one."""
    tasks = [task for task in map(get_task, task_names()) if isinstance(task, TableTask)]
    sources = {(task.source.benchmark, task.source.name): task for task in tasks}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZCPROXY_DATA", str(directory))
        for (benchmark, name), task in sources.items():
            count = NETWORKS.get(benchmark, NETWORKS.get(name, FEW))
            write_table(task.source, made_table(task.source, task.space, count))


def write_table(source: TableSource, frame: pd.DataFrame) -> None:
    """Put a table into the data directory that is set."""
    write_imported(imported_path(source.benchmark, source.name), frame, {"source": {source.name: ""}})


def counted_table(task: TableTask, networks: int) -> pd.DataFrame:
    """Return a table whose parameters are those of the networks of a task."""
    frame = made_table(task.source, task.space, networks)
    with torch.device("meta"):
        sizes = [sum(value.numel() for value in task.build(text).parameters()) for text in frame[ARCHITECTURE]]
    return frame.assign(**{name: sizes for name in frame if name.startswith("params")})
