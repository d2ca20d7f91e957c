"""What tests of several parts share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

# Machines differ in speed, so no example has a deadline; with CI set, every run draws the same examples.
settings.register_profile("zcproxy", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("zcproxy")


@pytest.fixture(scope="session")
def real_data() -> Iterator[Path]:
    """The folder of published measurements: ZCPROXY_DATA, else `shared/data` beside the repository, else a skip."""
    directory = Path(os.environ.get("ZCPROXY_DATA") or SHARED_DATA)
    if not directory.is_dir():
        pytest.skip(f"real data not found: set ZCPROXY_DATA to its folder ({directory} does not exist)")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZCPROXY_DATA", str(directory))
        yield directory
