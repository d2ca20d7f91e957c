"""Discovered proxies that the searches here use."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from zcproxy import Proxy, load_proxy
from zcproxy.primitives import parse

FORMULAS = Path(__file__).parent.parent / "generalisation" / "full" / "formulas.csv"
UNSEEN = "found without NAS-Bench-201"


def discovered(seed: int) -> dict[str, Proxy]:
    """Return proxies by name; the five that were found without NAS-Bench-201 take the seeds in turn."""
    formulas = pd.read_csv(FORMULAS)
    chosen = formulas[formulas["run"].str.startswith("full-without-nasbench201-")]
    unseen = Proxy(parse(chosen["formula"].iloc[seed % len(chosen)]))
    return {**{name: load_proxy(name) for name in ("zc-nasbench201", "zc-general")}, UNSEEN: unseen}
