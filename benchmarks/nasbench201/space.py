"""The search space of NAS-Bench-201: its 15,625 cells, and the networks that they are part of."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from random import Random

from torch import nn

from zcproxy.benchmarks.nasbench201.encoding import OPERATIONS, to_operations, to_text
from zcproxy.benchmarks.nasbench201.network import NASBench201Network
from zcproxy.benchmarks.shared.four_node_cells import EDGES, function_of, prune
from zcproxy.errors import BenchmarkError


class NASBench201Space:
    """All 15,625 cells; architectures are their official texts. Implements `zcproxy.contracts.task.SearchSpace`.

    Args:
        channels: channels of the first stage of the networks; the benchmark has 16.
        cells: in each stage; the benchmark has 5.
    """

    name = "nasbench201"
    size = len(OPERATIONS) ** len(EDGES)

    def __init__(self, channels: int = 16, cells: int = 5) -> None:
        self.channels = channels
        self.cells = cells

    def build(self, architecture: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """Return the untrained network, initialised as torch does by default.

        Raises:
            BenchmarkError: the inputs are not images whose height and width four divides.
        """
        if len(input_shape) != 3 or input_shape[1] % 4 or input_shape[2] % 4:
            raise BenchmarkError(
                f"NAS-Bench-201 networks take images whose height and width four divides, not {input_shape}"
            )
        return NASBench201Network(architecture, classes, self.channels, self.cells, image_channels=input_shape[0])

    def parse(self, text: str) -> str:
        """Return the canonical text of a cell; surrounding white space is dropped, all else has to be exact."""
        return to_text(to_operations(text))

    def sample(self, rng: Random) -> str:
        """Return a cell drawn uniformly."""
        return to_text(rng.choices(OPERATIONS, k=len(EDGES)))

    def enumerate(self) -> Iterator[str]:
        """Yield the 15,625 cells in lexicographic order of `OPERATIONS` (not the official index order)."""
        return map(to_text, product(OPERATIONS, repeat=len(EDGES)))

    def neighbours(self, architecture: str) -> list[str]:
        """Return the 24 cells that differ in one edge."""
        operations = to_operations(architecture)
        return [
            to_text((*operations[:edge], other, *operations[edge + 1 :]))
            for edge, current in enumerate(operations)
            for other in OPERATIONS
            if other != current
        ]

    def mutate(self, architecture: str, rng: Random) -> str:
        """Return one of the 24 neighbours, drawn uniformly."""
        return rng.choice(self.neighbours(architecture))

    def crossover(self, first: str, second: str, rng: Random) -> str:
        """Return a cell that takes the operation of every edge from either parent with equal chance."""
        return to_text([rng.choice(pair) for pair in zip(to_operations(first), to_operations(second), strict=True)])

    def prune(self, architecture: str) -> str:
        """Return the cell with `none` on every edge that lies on no path from input to output.

        The 15,625 cells have 9,445 different results: the table's `pruned_index` numbers them.
        """
        return to_text(prune(to_operations(architecture), none="none"))

    def equivalence_class(self, architecture: str) -> str:
        """Return a key that all cells share which compute the same function: see `four_node_cells.function_of`."""
        operations = to_operations(architecture)
        return function_of(operations, none="none", skip="skip_connect", linear=("avg_pool_3x3",))
