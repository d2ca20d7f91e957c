"""An evaluator for the loops of DyNAS-T (github.com/IntelLabs/DyNAS-T)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zcproxy.adapters.quantities import StoredQuantities
from zcproxy.contracts.choice_space import ChoiceSpace, Option
from zcproxy.errors import BenchmarkError
from zcproxy.search.goals import MAXIMIZED, PROXY
from zcproxy.search.quantities.networks import Setting
from zcproxy.text.visible import shortened


class SubNetworkEvaluator:
    """Evaluates sub-networks for the loops of DyNAS-T (github.com/IntelLabs/DyNAS-T, release 1.6).

    `param_dict` describes the elastic parameters as its `EncodingBase` takes them; the object itself is the
    `evaluation_interface` of its problems of one, two or three objectives.

    Args:
        setting: names a super-network or another space of independent choices, and the proxy.
        quantities: what is returned for a sub-network, in this order.
        table: a look-up table.

    Raises:
        BenchmarkError: the space has no independent choices.
    """

    def __init__(self, setting: Setting, quantities: Sequence[str] = (PROXY,), table: Path | None = None) -> None:
        space = setting.subject().space
        if not isinstance(space, ChoiceSpace):
            raise BenchmarkError(f"{space.name} is not a space of independent choices, which a vector of indices needs")
        self._space, self._quantities = space, tuple(quantities)
        self._evaluator = StoredQuantities(setting, self._quantities, table)

    @property
    def param_dict(self) -> dict[str, dict[str, Any]]:
        """The parameters by name: how many there are of each (one), and its options."""
        return {name: {"count": 1, "vars": list(options)} for name, options in self._space.choices.items()}

    def eval_subnet(self, x: Sequence[float]) -> tuple[Any, ...]:
        """Return the vector and each cost of its sub-network: quantities of which more is better change their sign.

        Args:
            x: one index per parameter, in the order of `param_dict`; whole numbers of any type.

        Raises:
            BenchmarkError: an index is not a whole number, or there is no such option.
        """
        wanted = len(self._space.choices)
        if len(x) != wanted:
            raise BenchmarkError(
                f"a vector of {len(x)} numbers is not a sub-network of {self._space.name}: give one index for each of "
                f"its {wanted} parameters"
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
            f"{name} = {shortened(str(value), 60)} is not an option: the index is a whole number from 0 to "
            f"{options - 1}"
        )
    return index
