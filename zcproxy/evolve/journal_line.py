"""What the journal of a run says of an epoch, for people and plots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zcproxy.evolve.directory import State
from zcproxy.evolve.fitness import Fitness
from zcproxy.evolve.materials import IslandReport
from zcproxy.formula import Node


def journal_line(state: State, formula: Node, score: Fitness, reports: Sequence[IslandReport]) -> dict[str, Any]:
    """Return the line of the epoch that has led to a state.

    Args:
        state: after the epoch.
        formula: of highest merit.
        score: of the formula.
        reports: of the islands; their logbooks have least, mean and most merit and size of each generation.
    """
    return {
        "generations": state.generations,
        "evaluations": state.evaluations,
        "seconds": round(state.seconds, 3),
        "columns": len(state.columns),
        "outcomes": dict(state.outcomes),
        "best": {"formula": str(formula), "size": score.size, "training_tau": list(score.correlations)},
        "logbooks": [report.logbook for report in reports],
    }
