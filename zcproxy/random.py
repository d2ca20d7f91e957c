"""Seeds derived from stable names, so that no result depends on order, sharding or the number of workers."""

from __future__ import annotations

import hashlib
import random

import numpy as np


def derive_seed(*names: str | int) -> int:
    """Return a seed in [0, 2**63) that depends on `names` alone: the same on every machine and in every process."""
    digest = hashlib.sha256("\x1f".join(str(name) for name in names).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def generator(*names: str | int) -> random.Random:
    """Return Python's generator seeded by `names`: for discrete choices (architectures, tree nodes)."""
    return random.Random(derive_seed(*names))


def array_generator(*names: str | int) -> np.random.Generator:
    """Return numpy's generator seeded by `names`: for arrays (bootstrap samples, splits)."""
    return np.random.default_rng(derive_seed(*names))
