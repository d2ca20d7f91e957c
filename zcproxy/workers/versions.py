"""The versions that machines have to share, so that the same job gives the same result on each."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("zcproxy", "torch", "numpy", "scipy", "deap")
"""Packages that results depend on."""
DIGITS = 16


def versions() -> dict[str, str]:
    """Return the versions that a worker and the one who asks have to share, with a digest of zcproxy's own code."""
    found = {name: version(name) for name in PACKAGES}
    found["python"] = ".".join(platform.python_version_tuple()[:2])
    return {**found, "code of zcproxy": code_digest()}


@cache
def code_digest() -> str:
    """Return a digest of the modules of zcproxy, with primitives and benchmarks."""
    digest = hashlib.sha256()
    for name in ("zcproxy", "zcproxy.primitives", "zcproxy.benchmarks"):
        folder = import_module(name).__path__[0]
        for path in sorted(Path(folder).rglob("*.py")):
            digest.update(f"{name}/{path.relative_to(folder)}".encode() + path.read_bytes())
    return digest.hexdigest()[:DIGITS]
