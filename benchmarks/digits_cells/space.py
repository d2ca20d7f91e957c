"""Random cells whose width and depth keep the network within a band of multiply-adds, as those of NDS."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate, product
from random import Random

from torch import nn

from zcproxy.benchmarks.digits_cells.costs import edge_macs, fixed_macs
from zcproxy.benchmarks.nds.cell_space import CellChoice, CellSpace, text_of
from zcproxy.benchmarks.nds.cells import LARGEST_SMALL_IMAGE, Edges
from zcproxy.benchmarks.nds.families import CellFamily
from zcproxy.errors import BenchmarkError

CELL = CellFamily(
    ("skip_connect", "avg_pool_3x3", "max_pool_3x3", "conv_1x1", "conv_3x3", "dil_conv_3x3"),
    nodes=1,
    loose_ends=False,
)
WIDTHS = (4, 6, 8, 10, 12, 16, 20, 24)
DEPTHS = (3, 4, 5, 6, 7, 8)
LEAST, MOST = 150_000, 300_000
"""Multiply-adds of a network on one digit: the band."""


class BandedCellSpace(CellSpace):
    """Networks of two cells, `LEAST` to `MOST` multiply-adds each on a digit, written as those of NDS.

    Implements `zcproxy.contracts.task.SearchSpace`.
    """

    def __init__(self) -> None:
        super().__init__("digits_cells", CELL, WIDTHS, DEPTHS)

    @cached_property
    def size(self) -> int:
        """The number of texts; the two edges of a node may be named in either order."""
        return sum(self._count(width, depth) for width, depth in _SIZES)

    def build(self, architecture: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """Return the untrained network. Raises `BenchmarkError` if the inputs are not small square images."""
        if len(input_shape) != 3 or input_shape[1] != input_shape[2] or input_shape[1] > LARGEST_SMALL_IMAGE:
            raise BenchmarkError(
                f"the networks of {self.name} take square images of up to {LARGEST_SMALL_IMAGE} pixels, "
                f"not inputs of shape {input_shape}"
            )
        return self.network(architecture, input_shape[0], input_shape[1], classes)

    def macs_of(self, choice: CellChoice) -> int:
        """Return the multiply-adds of a network on one digit."""
        edges = [(False, *edge) for edge in choice.normal] + [(True, *edge) for edge in choice.reduction]
        return fixed_macs(choice.width, choice.depth, CELL.nodes) + sum(
            _edge_cost(choice.width, choice.depth, *edge) for edge in edges
        )

    def decode(self, text: str) -> CellChoice:
        """Return the parts of an architecture. Raises `BenchmarkError` for text outside the space."""
        choice = super().decode(text)
        if (choice.width, choice.depth) not in _SIZES:
            widths, depths = (", ".join(map(str, options)) for options in (WIDTHS, DEPTHS))
            raise self.outside(text, f"the width is one of {widths}, the depth one of {depths}")
        if not self._is_inside(choice):
            macs = self.macs_of(choice)
            raise self.outside(text, f"it has {macs:,} multiply-adds on a digit, not {LEAST:,} to {MOST:,}")
        return choice

    def sample(self, rng: Random) -> str:
        """Return a network as NDS drew them: two cells uniformly, then a width and depth of those within the band."""
        while True:
            normal, reduction = ([rng.choice(self._options(edge)) for edge in self._numbers] for _ in range(2))
            sized = (CellChoice(width, depth, normal, reduction) for width, depth in _SIZES)
            inside = list(filter(self._is_inside, sized))
            if inside:
                return text_of(rng.choice(inside))

    def enumerate(self) -> Iterator[str]:
        """Yield every text once; there are very many."""
        for width, depth in _SIZES:
            reductions = list(self._cells(width, depth, reduces=True))
            cheapest, dearest = (choose(cost for _, cost in reductions) for choose in (min, max))
            for normal, cost in self._cells(width, depth, reduces=False):
                rest = cost + fixed_macs(width, depth, CELL.nodes)
                if rest + dearest >= LEAST and rest + cheapest <= MOST:
                    yield from (
                        text_of(CellChoice(width, depth, normal, reduction))
                        for reduction, more in reductions
                        if LEAST <= rest + more <= MOST
                    )

    def neighbours(self, architecture: str) -> list[str]:
        """Return the networks with one other edge, width or depth that are within the band."""
        return [
            text
            for text in super().neighbours(architecture)
            if self._is_inside(super(BandedCellSpace, self).decode(text))
        ]

    def crossover(self, first: str, second: str, rng: Random) -> str:
        """Return a network that takes every choice from either parent; the first one if that leaves the band."""
        child = super().crossover(first, second, rng)
        return child if self._is_inside(super().decode(child)) else self.parse(first)

    def _is_inside(self, choice: CellChoice) -> bool:
        return LEAST <= self.macs_of(choice) <= MOST

    def _cells(self, width: int, depth: int, *, reduces: bool) -> Iterator[tuple[Edges, int]]:
        """Yield the edges of every cell with the multiply-adds of all cells of the kind in a network."""
        for edges in product(*map(self._options, self._numbers)):
            yield edges, sum(_edge_cost(width, depth, reduces, *edge) for edge in edges)

    def _count(self, width: int, depth: int) -> int:
        """Return how many pairs of cells are within the band."""
        normal, reduction = (self._frequencies(width, depth, reduces=reduces) for reduces in (False, True))
        costs = sorted(reduction)
        up_to = [0, *accumulate(reduction[cost] for cost in costs)]
        fixed = fixed_macs(width, depth, CELL.nodes)
        return sum(
            count * (up_to[bisect_right(costs, MOST - fixed - cost)] - up_to[bisect_left(costs, LEAST - fixed - cost)])
            for cost, count in normal.items()
        )

    def _frequencies(self, width: int, depth: int, *, reduces: bool) -> Counter[int]:
        """Return how many cells have each number of multiply-adds."""
        found = Counter({0: 1})
        for number in self._numbers:
            longer: Counter[int] = Counter()
            for edge in self._options(number):
                more = _edge_cost(width, depth, reduces, *edge)
                for cost, count in found.items():
                    longer[cost + more] += count
            found = longer
        return found


_SIZES = tuple(product(WIDTHS, DEPTHS))


def _edge_cost(width: int, depth: int, reduces: bool, operation: str, source: int) -> int:
    return edge_macs(operation, width, depth, CELL.nodes, reduction=reduces, from_input=source < 2)
