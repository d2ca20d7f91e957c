"""Untrained networks of architectures, with reproducible weights."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from zcproxy.models.initialisation import OWN, initialise
from zcproxy.random import derive_seed


def untrained(
    build: Callable[[str], nn.Module], space: str, architecture: str, initialisation: int, rule: str = OWN
) -> nn.Module:
    """Return the network of an architecture with the weights that every score of it at this initialisation is for.

    Args:
        build: makes the network, its weights from torch's random state, which is left as it was.
        space: name of the space.
        architecture: its canonical text.
        initialisation: index of the initialisation.
        rule: by which weights are drawn, see `zcproxy.models.initialisation`.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(space, architecture, "initialisation", initialisation))
        network = build(architecture)
        initialise(network, rule)
    return network
