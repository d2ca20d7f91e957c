"""A problem for pymoo (pymoo.org)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pymoo.core.duplicate import ElementwiseDuplicateElimination
from pymoo.core.problem import Problem
from pymoo.core.sampling import Sampling

from zcproxy.adapters.quantities import StoredQuantities
from zcproxy.random import generator
from zcproxy.search.algorithms.genetic import UNDEFINED, ArchitectureCrossover, ArchitectureMutation
from zcproxy.search.goals import PROXY, Goals, Limit
from zcproxy.search.quantities.networks import Setting


class ArchitectureProblem(Problem):  # type: ignore[misc]
    """A problem for `pymoo.optimize.minimize`: one variable, the text of an architecture.

    Objectives are signed so that less is better. `operators` returns the arguments that an algorithm of pymoo is made
    with. A pickled problem holds the setting and what was measured; it is rebuilt when it is unpickled.

    Args:
        setting: what networks are built from, and the proxy.
        minimized: further objectives, see `zcproxy.search.quantities.sources`.
        limits: bounds.
        table: a look-up table.
    """

    def __init__(
        self,
        setting: Setting,
        minimized: Sequence[str] = (),
        limits: Sequence[Limit] = (),
        table: Path | None = None,
    ) -> None:
        self.goals = Goals((PROXY,), tuple(minimized), tuple(limits))
        self.evaluator = StoredQuantities(setting, self.goals.quantities, table)
        self.space = setting.subject().space
        super().__init__(n_var=1, n_obj=len(self.goals.objectives), n_ieq_constr=1, vtype=object)

    def _evaluate(self, x: Any, out: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        architectures = [str(text) for text in x[:, 0]]
        outcomes = self.goals.outcomes(architectures, self.evaluator.values(architectures, self.goals.quantities))
        out["F"] = np.nan_to_num(np.array([outcome.costs for outcome in outcomes]))
        out["G"] = np.array([[min(outcome.violation, UNDEFINED)] for outcome in outcomes])

    def operators(self) -> dict[str, Any]:
        """Return `sampling`, `crossover`, `mutation` and `eliminate_duplicates` for architectures."""
        return {
            "sampling": _ArchitectureSampling(self.space),
            "crossover": ArchitectureCrossover(self.space),
            "mutation": ArchitectureMutation(self.space),
            "eliminate_duplicates": _SameArchitecture(),
        }


class _SameArchitecture(ElementwiseDuplicateElimination):  # type: ignore[misc]
    def is_equal(self, one: Any, other: Any) -> bool:
        return bool(one.X[0] == other.X[0])


class _ArchitectureSampling(Sampling):  # type: ignore[misc]
    def __init__(self, space: Any) -> None:
        super().__init__()
        self._space = space

    def _do(self, problem: Problem, n_samples: int, *args: Any, random_state: Any = None, **kwargs: Any) -> Any:
        rng = generator("pymoo", int(random_state.integers(2**62)))
        return np.array([[self._space.sample(rng)] for _ in range(n_samples)], dtype=object)
