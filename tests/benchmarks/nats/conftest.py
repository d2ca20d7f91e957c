"""Tables and records of releases: numbers that were drawn, in the shape that the authors' packages give them."""

from __future__ import annotations

from typing import Any

import nas_201_api
import pandas as pd
import pytest

from .releases import INDICES, cell_record, cell_table, size_record, size_table


@pytest.fixture(scope="session")
def tss() -> pd.DataFrame:
    return cell_table()


@pytest.fixture(scope="session")
def sss() -> pd.DataFrame:
    return size_table()


@pytest.fixture(scope="session")
def nats() -> Any:
    return pytest.importorskip("nats_bench", reason="the package that reads NATS-Bench is an optional extra")


@pytest.fixture(scope="session")
def cell_texts(tss: pd.DataFrame) -> list[str]:
    return tss["arch"].tolist()


@pytest.fixture
def torch_records(tss: pd.DataFrame) -> dict[int, Any]:
    return {index: cell_record(nas_201_api, tss.iloc[index], index) for index in INDICES}


@pytest.fixture
def cell_records(tss: pd.DataFrame, nats: Any) -> dict[int, Any]:
    return {index: cell_record(nats, tss.iloc[index], index) for index in INDICES}


@pytest.fixture
def size_records(sss: pd.DataFrame, nats: Any) -> dict[int, Any]:
    return {index: size_record(nats, sss.iloc[index], index) for index in (32767, 0, 11)}
