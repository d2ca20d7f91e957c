"""Results as JSON on standard output: the option `--json`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Any

import pandas as pd
import typer

from zcproxy.correlation import Correlation

Json = Annotated[bool, typer.Option("--json", help="Print the results as JSON on standard output.")]


def print_json(content: Any) -> None:
    """Print one line of strict JSON."""
    print(json.dumps(content, allow_nan=False))


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table; null for NaN."""
    found: list[dict[str, Any]] = json.loads(table.to_json(orient="records", double_precision=15))
    return found


def correlation_records(rows: Iterable[tuple[str, Correlation]]) -> list[dict[str, Any]]:
    """Return correlations with the name of the proxy that each is of; null for NaN."""
    return records(pd.DataFrame([{"proxy": name, **item.as_dict()} for name, item in rows]))
