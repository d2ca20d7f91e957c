"""The global random state that DEAP draws from, lent to one island at a time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import cast

import numpy as np

SHARED = cast(Random, random)
"""The module `random`, whose functions are the methods of one global generator: what all operators draw from."""


@contextmanager
def lent_to(island: Random) -> Iterator[None]:
    """Let the global generators be those of an island inside; the caller's are as before afterwards, whatever happens.

    DEAP's operators take no generator: they draw from the module `random`, NSGA-III from that of numpy. The island's
    generator goes on from where the operators left the global one. Other threads must not draw meanwhile.
    """
    of_caller, of_numpy = random.getstate(), np.random.get_state()
    np.random.seed(island.getrandbits(32))
    random.setstate(island.getstate())
    try:
        yield
    finally:
        island.setstate(random.getstate())
        random.setstate(of_caller)
        np.random.set_state(of_numpy)
