"""A column store that all runs of these tests share: what one has measured, the next reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from zcproxy.evolve import Configuration

TASK = "digits201"


@pytest.fixture(scope="session")
def column_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("columns")


@pytest.fixture
def small() -> Configuration:
    """A run of seconds: 16 networks, one probe, batches of four."""
    return Configuration(
        (TASK,),
        networks=16,
        test_networks=4,
        probes=("noise",),
        batch_size=4,
        island_size=20,
        islands=3,
        epoch_generations=2,
        new_columns=2,
        new_columns_after=2,
    )
