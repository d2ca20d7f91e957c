"""The micro space of TransNAS-Bench-101: 4,096 cells in one fixed arrangement of modules."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from torch import nn

from zcproxy.benchmarks.shared.four_node_cells import EDGES, function_of, prune
from zcproxy.benchmarks.transnas101.network import OPERATIONS, TransNASNetwork
from zcproxy.contracts.choice_space import ChoiceSpace, Option

MODULES = "41414"
BASE = 64


class MicroSpace(ChoiceSpace):
    """Cells, written as in the official files: `64-41414-1_02_333`, one digit per edge, one group per node.

    Args:
        base: channels after the stem; the benchmark has 64.
    """

    name = "transnas101_micro"
    choices: ClassVar[Mapping[str, Sequence[Option]]] = {f"{source}_to_{end}": OPERATIONS for source, end in EDGES}

    def __init__(self, base: int = BASE) -> None:
        self.base = base

    def encode(self, options: Mapping[str, Option]) -> str:
        """Return the official text of a cell."""
        digits = "".join(str(options[choice]) for choice in self.choices)
        return f"{BASE}-{MODULES}-{digits[0]}_{digits[1:3]}_{digits[3:]}"

    def decode(self, text: str) -> dict[str, Option]:
        """Return the operation on each edge. Raises `BenchmarkError` for text outside the space."""
        found = re.fullmatch(rf"{BASE}-{MODULES}-([0-3])_([0-3]{{2}})_([0-3]{{3}})", text.strip())
        if found is None:
            raise self.outside(text, f"write {BASE}-{MODULES}-a_bc_def, each letter one of {', '.join(OPERATIONS)}")
        return dict(zip(self.choices, "".join(found.groups()), strict=True))

    def prune(self, architecture: str) -> str:
        """Return the cell with `0` on every edge that lies on no path from input to output."""
        return self.encode(dict(zip(self.choices, prune(self._operations(architecture), none="0"), strict=True)))

    def equivalence_class(self, architecture: str) -> str:
        """Return a key that all cells share which compute the same function.

        Where a cell changes the shape a skip connection is a convolution, so the key also joins some that differ there.
        """
        return function_of(self._operations(architecture), none="0", skip="1", linear=())

    def build(self, architecture: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """Return the untrained network; see `TransNASNetwork` for its inputs."""
        return TransNASNetwork(
            self.base, MODULES, self._operations(architecture), input_shape=input_shape, classes=classes
        )

    def _operations(self, architecture: str) -> list[str]:
        return [str(operation) for operation in self.decode(architecture).values()]
