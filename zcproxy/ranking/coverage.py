"""What the scores of a task's networks leave out: parameters that no layer holds."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from zcproxy.contracts.task import Task
from zcproxy.models.untrained import untrained
from zcproxy.probing.measure import measure
from zcproxy.proxy.proxy import NEGLIGIBLE

LOOKED_AT = 3
"""Networks of a task that are looked at: those of one space are built alike."""


def coverage_note(task: Task, architectures: Sequence[str]) -> str | None:
    """Return a sentence on what scores of networks leave out, None if that is next to nothing.

    Args:
        task: builds the networks.
        architectures: their texts, of which the first few are looked at.
    """
    worst = None
    for architecture in architectures[:LOOKED_AT]:
        network = untrained(task.build, task.space.name, architecture, 0)
        found = measure(network, torch.zeros(1, *task.input_shape), None, (), disposable=True).coverage
        if found is not None and (worst is None or found.unseen_share > worst.unseen_share):
            worst = found
    if worst is None or worst.unseen_share <= NEGLIGIBLE:
        return None
    return (
        f"Left out: up to {worst.unseen_share:.1%} of a network's parameters of two or more dimensions, in operations "
        f"that are not seen as layers (largest: {worst.largest()})."
    )
