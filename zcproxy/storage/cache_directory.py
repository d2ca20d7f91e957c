"""The cache directory: where measured columns, weights and images of the user are kept."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def default_cache() -> Path:
    """Return the cache directory: `ZCPROXY_CACHE`, else the user's."""
    chosen = os.environ.get("ZCPROXY_CACHE")
    return Path(chosen) if chosen else platformdirs.user_cache_path("zcproxy")
