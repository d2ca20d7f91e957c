"""The search space of NAS-Bench-201: its 15,625 cells, and the networks that they are part of."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from random import Random

from torch import nn

from zcproxy.benchmarks.nasbench201.encoding import EDGES, OPERATIONS, OUTPUT, to_operations, to_text
from zcproxy.benchmarks.nasbench201.network import NASBench201Network
from zcproxy.errors import BenchmarkError


class NASBench201Space:
    """All 15,625 cells; architectures are their official texts. Implements `zcproxy.benchmark.SearchSpace`.

    Args:
        channels: of the first stage of the networks; the benchmark has 16.
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
            BenchmarkError: the inputs are no images whose height and width four divides.
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
        operations = to_operations(architecture)
        edges = [edge for edge, operation in zip(EDGES, operations, strict=True) if operation != "none"]
        from_input, to_output = {0}, {OUTPUT}
        for source, target in edges:  # in topological order
            if source in from_input:
                from_input.add(target)
        for source, target in sorted(edges, reverse=True):
            if target in to_output:
                to_output.add(source)
        return to_text(
            [
                operation if source in from_input and target in to_output else "none"
                for operation, (source, target) in zip(operations, EDGES, strict=True)
            ]
        )

    def equivalence_class(self, architecture: str) -> str:
        """Return the cell as a sum of terms over its input `x`, the same for all cells that compute the same function.

        Dead edges vanish, skip connections pass terms on, pooling (linear) distributes over them, and terms are sorted,
        so the numbering of nodes leaves no trace. One convolution used twice reads like two convolutions of one kind:
        the key joins cells that differ in that alone.
        """
        terms: list[list[str]] = [["x"], [], [], []]
        for operation, (source, target) in zip(to_operations(architecture), EDGES, strict=True):
            incoming = terms[source]
            if operation == "skip_connect":
                terms[target] += incoming
            elif operation == "avg_pool_3x3":
                terms[target] += [f"{operation}({term})" for term in incoming]
            elif operation != "none" and incoming:
                terms[target].append(f"{operation}({'+'.join(sorted(incoming))})")
        return "+".join(sorted(terms[OUTPUT]))
