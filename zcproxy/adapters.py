"""Proxies for other tools: a problem for pymoo, a function for zero-cost-nas, an evaluator for DyNAS-T."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pymoo.core.duplicate import ElementwiseDuplicateElimination
from pymoo.core.problem import Problem
from pymoo.core.sampling import Sampling
from torch import Tensor, nn

from zcproxy.contracts.choice_space import ChoiceSpace, Option
from zcproxy.errors import BenchmarkError
from zcproxy.names.proxies import (
    resolve_proxy,
)
from zcproxy.proxies import DEFAULT
from zcproxy.proxy.proxy import Proxy
from zcproxy.random import generator
from zcproxy.search.algorithms.genetic import UNDEFINED, ArchitectureCrossover, ArchitectureMutation
from zcproxy.search.goals import MAXIMIZED, PROXY, Goals, Limit
from zcproxy.search.measuring import Measured, Quantities
from zcproxy.search.quantities.networks import NetworkMeasurer, Setting
from zcproxy.search.quantities.sources import sources_of
from zcproxy.text.visible import shortened


def measure(
    net: nn.Module, inputs: Tensor, targets: Tensor | None, device: str = "cpu", *, proxy: str | Proxy = DEFAULT
) -> float:
    """Score a network in the way of zero-cost-nas (github.com/SamsungLabs/zero-cost-nas): higher is better.

    Args:
        net: untrained; moved to `device`, otherwise left as it was.
        inputs: a minibatch.
        targets: its classes; None draws random ones for proxies that need some.
        device: `cpu` or `cuda`.
        proxy: a file, a name, a formula, or a loaded proxy.

    Returns:
        The score; NaN where it is undefined.
    """
    chosen = proxy if isinstance(proxy, Proxy) else resolve_proxy(proxy)
    return chosen(net.to(device), inputs.to(device), None if targets is None else targets.to(device))


class ArchitectureProblem(Problem):  # type: ignore[misc]
    """A problem for `pymoo.optimize.minimize`: one variable, the text of an architecture.

    Objectives are signed so that less is better. `operators` returns what an algorithm of pymoo has to be made with.
    A pickled problem holds the setting and what was measured; it is made anew when it is read.

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
        self.evaluator = _Measuring(setting, self.goals.quantities, table)
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


class SubNetworkEvaluator:
    """Evaluates sub-networks for the loops of DyNAS-T (github.com/IntelLabs/DyNAS-T, release 1.6).

    `param_dict` describes the elastic parameters as its `EncodingBase` takes them; the object itself is the
    `evaluation_interface` of its problems of one, two or three objectives.

    Args:
        setting: names a super-network or another space of independent choices, and the proxy.
        quantities: what is returned of a sub-network, in this order.
        table: a look-up table.

    Raises:
        BenchmarkError: the space has no independent choices.
    """

    def __init__(self, setting: Setting, quantities: Sequence[str] = (PROXY,), table: Path | None = None) -> None:
        space = setting.subject().space
        if not isinstance(space, ChoiceSpace):
            raise BenchmarkError(f"{space.name} is no space of independent choices, which a vector of indices needs")
        self._space, self._quantities = space, tuple(quantities)
        self._evaluator = _Measuring(setting, self._quantities, table)

    @property
    def param_dict(self) -> dict[str, dict[str, Any]]:
        """The parameters by name: how many there are of each (one), and its options."""
        return {name: {"count": 1, "vars": list(options)} for name, options in self._space.choices.items()}

    def eval_subnet(self, x: Sequence[float]) -> tuple[Any, ...]:
        """Return the vector and each cost of its sub-network: quantities of which more is better change their sign.

        Args:
            x: an index a parameter, in the order of `param_dict`; whole numbers of any type.

        Raises:
            BenchmarkError: an index is no whole number, or there is no such option.
        """
        wanted = len(self._space.choices)
        if len(x) != wanted:
            raise BenchmarkError(
                f"a vector of {len(x)} numbers is no sub-network of {self._space.name}: give one index for each of its "
                f"{wanted} parameters"
            )
        choice: Mapping[str, Option] = {
            name: options[_index(name, value, len(options))]
            for (name, options), value in zip(self._space.choices.items(), x, strict=True)
        }
        architecture = self._space.encode(choice)
        values = self._evaluator.values([architecture], self._quantities)
        signed = (-1.0 if name in MAXIMIZED else 1.0 for name in self._quantities)
        costs = (sign * float(values[name][0]) for sign, name in zip(signed, self._quantities, strict=True))
        return list(x), *costs


def _index(name: str, value: float, options: int) -> int:
    """Return the index of an option. Raises `BenchmarkError` if there is none."""
    try:
        index = int(value)
    except (TypeError, ValueError, OverflowError):
        index = -1
    if index != value or not 0 <= index < options:
        raise BenchmarkError(
            f"{name} = {shortened(str(value), 60)} is no option: the index is a whole number from 0 to {options - 1}"
        )
    return index


class _Measuring(Quantities):
    """An evaluator that can be pickled: it then holds what was measured, and is made anew from its setting."""

    def __init__(self, setting: Setting, names: Sequence[str], table: Path | None) -> None:
        self._made_from = setting, tuple(names), table
        bench = NetworkMeasurer(setting.subject(), setting)
        super().__init__(sources_of(names, bench, table, None, None), _keep_no_notes)

    def __getstate__(self) -> dict[str, Any]:
        return {"made_from": self._made_from, "known": self.known, "seconds": self.seconds, "measuring": self.measuring}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(*state.pop("made_from"))  # type: ignore[misc]
        vars(self).update(state)


def _keep_no_notes(measured: Sequence[Measured]) -> None:
    """Stand in for a journal."""
