"""The search space of NAS-Bench-101: its 423,624 cells, and the networks that they are part of."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from random import Random

from torch import nn

from zcproxy.benchmarks.nasbench101.cell import (
    MOST_EDGES,
    MOST_VERTICES,
    OPERATIONS,
    Cell,
    Edge,
    canonical,
    edges_of,
    has_dead_vertices,
    is_canonical,
)
from zcproxy.benchmarks.nasbench101.edits import edited, without_repeated_pooling
from zcproxy.benchmarks.nasbench101.encoding import to_cell, to_text
from zcproxy.benchmarks.nasbench101.network import STACKS, NASBench101Network, convolutions_of
from zcproxy.contracts.choice_space import BaseSpace
from zcproxy.errors import BenchmarkError

_VERTICES = range(2, MOST_VERTICES + 1)
_LEAST_CHANNELS = MOST_VERTICES - 2
_CROSSINGS = 20
"""Children of two cells that are drawn before the first parent stands for one."""


class NASBench101Space(BaseSpace):
    """All cells of the benchmark, no two isomorphic, written like `conv3x3~0/maxpool3x3~0.1/output~1.2`.

    Texts in another numbering, or with dead vertices, are read too. Implements `zcproxy.contracts.task.SearchSpace`.

    Args:
        channels: channels of the first stack of the networks; the benchmark has 128.
        cells: in each stack; the benchmark has 3.

    Raises:
        BenchmarkError: the channels are too few to be shared among the vertices of a cell.
    """

    name = "nasbench101"
    size = 423_624

    def __init__(self, channels: int = 128, cells: int = 3) -> None:
        if channels < _LEAST_CHANNELS or cells < 1:
            raise BenchmarkError(
                f"channels={channels}, cells={cells}: a cell of NAS-Bench-101 shares its channels among up to "
                f"{_LEAST_CHANNELS} vertices, and a stack has at least one cell"
            )
        self.channels = channels
        self.cells = cells

    def build(self, architecture: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """Return the untrained network, initialised as in the official code.

        Raises:
            BenchmarkError: the inputs are not images.
        """
        _check_images(input_shape)
        return NASBench101Network(self.decode(architecture), classes, self.channels, self.cells, input_shape[0])

    def decode(self, text: str) -> Cell:
        """Return the cell that a text describes. Raises `BenchmarkError` for text outside the space."""
        try:
            return to_cell(text)
        except ValueError as error:
            raise self.outside(text, str(error)) from error

    def parse(self, text: str) -> str:
        """Return the text of the cell in the numbering of the benchmark, without its dead vertices."""
        return to_text(self.decode(text))

    def sample(self, rng: Random) -> str:
        """Return a cell drawn uniformly: numbered graphs are drawn until one is in the numbering of the benchmark."""
        weights = [2 ** (number * (number - 1) // 2) * len(OPERATIONS) ** (number - 2) for number in _VERTICES]
        while True:
            (vertices,) = rng.choices(_VERTICES, weights)
            bits = rng.getrandbits(vertices * (vertices - 1) // 2)
            labels = rng.choices(range(len(OPERATIONS)), k=vertices - 2)
            if _is_graph(vertices, bits) and is_canonical(vertices, bits, labels):
                return _text(bits, labels)

    def enumerate(self) -> Iterator[str]:
        """Yield every cell once: by vertices, edges and operations, as the authors of the benchmark listed them."""
        for vertices in _VERTICES:
            for bits in range(2 ** (vertices * (vertices - 1) // 2)):
                if _is_graph(vertices, bits):
                    for labels in product(range(len(OPERATIONS)), repeat=vertices - 2):
                        if is_canonical(vertices, bits, labels):
                            yield _text(bits, labels)

    def neighbours(self, architecture: str) -> list[str]:
        """Return the cells one edit away: see `zcproxy.benchmarks.nasbench101.edits.edited`."""
        own = self.decode(architecture)
        return list(dict.fromkeys(to_text(cell) for cell in edited(own) if cell != own))

    def crossover(self, first: str, second: str, rng: Random) -> str:
        """Return a cell that takes every operation and edge from either parent with equal chance.

        Both are seen as graphs of seven vertices. A child without a path to the output, or with too many edges, is
        drawn again; the first parent stands for it where that happens every time.
        """
        left, right = self.decode(first), self.decode(second)
        parents = _spread(left), _spread(right)
        pairs = sorted(parents[0] | parents[1])
        for _ in range(_CROSSINGS):
            edges = [pair for pair in pairs if pair in rng.choice(parents)]
            operations: dict[int, str] = {}
            for vertex in range(1, MOST_VERTICES - 1):
                names = [cell.operations[vertex - 1] for cell in (left, right) if vertex < cell.output]
                operations |= {vertex: rng.choice(names)} if names else {}
            try:
                return to_text(canonical(operations, edges, MOST_VERTICES - 1))
            except ValueError:
                continue
        return to_text(left)

    def equivalence_class(self, architecture: str) -> str:
        """Return a key that cells share which compute the same function.

        Isomorphic cells have one text; the key also sees through poolings that are repeated.
        """
        return to_text(without_repeated_pooling(self.decode(architecture)))

    def macs(self, architecture: str, input_shape: tuple[int, ...], classes: int) -> int:
        """Return the multiply-adds of convolutions and classifier for one image, biases left out."""
        _check_images(input_shape)
        cell = self.decode(architecture)
        images, height, width = input_shape
        total, inputs = 9 * images * self.channels * height * width, self.channels
        for stack in range(STACKS):
            outputs, pixels = self.channels * 2**stack, -(-height // 2**stack) * -(-width // 2**stack)
            for _ in range(self.cells):
                layers = convolutions_of(cell, inputs, outputs)
                total += pixels * sum(kernel**2 * before * after for kernel, before, after in layers)
                inputs = outputs
        return total + inputs * classes

    def convolutions(self, architecture: str) -> int:
        """Return the number of convolutional layers."""
        each = convolutions_of(self.decode(architecture), self.channels, self.channels)
        return 1 + STACKS * self.cells * len(each)


def _check_images(input_shape: tuple[int, ...]) -> None:
    if len(input_shape) != 3:
        raise BenchmarkError(f"NAS-Bench-101 networks take images, not inputs of shape {input_shape}")


def _is_graph(vertices: int, bits: int) -> bool:
    """Whether edges are no more than a cell has, and leave no vertex dead."""
    return bits.bit_count() <= MOST_EDGES and not has_dead_vertices(vertices, bits)


def _text(bits: int, labels: list[int] | tuple[int, ...]) -> str:
    return to_text(Cell(tuple(OPERATIONS[label] for label in labels), edges_of(bits)))


def _spread(cell: Cell) -> set[Edge]:
    """Return the edges where the output is the last of seven vertices."""
    last = MOST_VERTICES - 1
    return {(source, last if target == cell.output else target) for source, target in cell.edges}
