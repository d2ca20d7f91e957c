"""The cell families of NDS as search spaces, and spaces of such cells in general."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from random import Random
from typing import Any

from torch import nn

from zcproxy.benchmarks.nds.cells import CellNetwork, Edges
from zcproxy.benchmarks.nds.families import CELLS, DEPTHS, WIDTHS, CellFamily
from zcproxy.contracts.choice_space import BaseSpace
from zcproxy.errors import BenchmarkError
from zcproxy.reading.plain_values import whole_number


@dataclass(frozen=True)
class CellChoice:
    """A network: channels of a node, number of cells, edges of the normal and of the reducing cell."""

    width: int
    depth: int
    normal: Edges
    reduction: Edges


class CellSpace(BaseSpace):
    """Networks of two cells, written `w32d10/skip_connect~0.max_pool_3x3~1.../...`: all of a search space but `build`.

    After channels and number of cells come the edges of the normal and the reducing cell, two for each node in turn:
    `operation~source`. Which nodes are joined at the end follows from the edges.

    Args:
        name: name of the space.
        cell: what its cells are made of.
        widths: options of the channels of a node.
        depths: options of the number of cells.
    """

    def __init__(self, name: str, cell: CellFamily, widths: Sequence[int], depths: Sequence[int]) -> None:
        self.name, self._cell = name, cell
        self.widths, self.depths = tuple(widths), tuple(depths)

    @property
    def size(self) -> int:
        """The number of texts; the two edges of a node may be named in either order."""
        cells = 1
        for node in range(self._cell.nodes):
            cells *= (len(self._cell.operations) * (node + 2)) ** 2
        return len(self.widths) * len(self.depths) * cells**2

    def network(self, architecture: str, image_channels: int, image_size: int, classes: int) -> CellNetwork:
        """Return the untrained network for square images."""
        choice = self.decode(architecture)
        return CellNetwork(
            (choice.normal, self._ends(choice.normal)),
            (choice.reduction, self._ends(choice.reduction)),
            width=choice.width,
            depth=choice.depth,
            image_channels=image_channels,
            image_size=image_size,
            classes=classes,
        )

    def decode(self, text: str) -> CellChoice:
        """Return the parts of an architecture. Raises `BenchmarkError` for text outside the space."""
        parts = text.strip().split("/")
        sizes = re.fullmatch(r"w([0-9]{1,4})d([0-9]{1,3})", parts[0])
        if sizes is None or len(parts) != 3:
            raise self.outside(text, "write wWIDTHdDEPTH/EDGES/EDGES")
        width, depth = int(sizes[1]), int(sizes[2])
        if width < 2 or width % 2 or depth < 3:
            raise self.outside(text, f"{width} channels are not even, or {depth} cells fewer than three")
        return CellChoice(width, depth, self._edges(text, parts[1]), self._edges(text, parts[2]))

    def parse(self, text: str) -> str:
        """Return the canonical text; surrounding white space is dropped."""
        return text_of(self.decode(text))

    def sample(self, rng: Random) -> str:
        """Return a network with every choice drawn uniformly."""
        normal, reduction = ([rng.choice(self._options(edge)) for edge in self._numbers] for _ in range(2))
        return text_of(CellChoice(rng.choice(self.widths), rng.choice(self.depths), normal, reduction))

    def enumerate(self) -> Iterator[str]:
        """Yield every text once; there are very many."""
        for width, depth in product(self.widths, self.depths):
            for normal in product(*map(self._options, self._numbers)):
                for reduction in product(*map(self._options, self._numbers)):
                    yield text_of(CellChoice(width, depth, normal, reduction))

    def neighbours(self, architecture: str) -> list[str]:
        """Return the networks with one other edge, width or depth."""
        own = self.decode(architecture)
        found = [replace(own, width=width) for width in self.widths if width != own.width]
        found += [replace(own, depth=depth) for depth in self.depths if depth != own.depth]
        found += [replace(own, normal=edges) for edges in self._changed(own.normal)]
        found += [replace(own, reduction=edges) for edges in self._changed(own.reduction)]
        return [text_of(choice) for choice in found]

    def crossover(self, first: str, second: str, rng: Random) -> str:
        """Return a network that takes every edge, width and depth from either parent with equal chance."""
        left, right = self.decode(first), self.decode(second)
        normal = [rng.choice(pair) for pair in zip(left.normal, right.normal, strict=True)]
        reduction = [rng.choice(pair) for pair in zip(left.reduction, right.reduction, strict=True)]
        width, depth = rng.choice((left.width, right.width)), rng.choice((left.depth, right.depth))
        return text_of(CellChoice(width, depth, normal, reduction))

    def equivalence_class(self, architecture: str) -> str:
        """Return the text with the two edges of every node in one order: their sum does not depend on it."""
        own = self.decode(architecture)
        cells = [
            [edge for node in range(self._cell.nodes) for edge in sorted(edges[2 * node : 2 * node + 2])]
            for edges in (own.normal, own.reduction)
        ]
        return text_of(replace(own, normal=cells[0], reduction=cells[1]))

    @property
    def _numbers(self) -> range:
        return range(2 * self._cell.nodes)

    def _options(self, edge: int) -> list[tuple[str, int]]:
        return list(product(self._cell.operations, range(2 + edge // 2)))

    def _changed(self, edges: Edges) -> Iterator[Edges]:
        for number, edge in enumerate(edges):
            for option in self._options(number):
                if option != edge:
                    yield (*edges[:number], option, *edges[number + 1 :])

    def _ends(self, edges: Edges) -> list[int]:
        used = {source for _, source in edges} if self._cell.loose_ends else set()
        return [node for node in range(2, 2 + self._cell.nodes) if node not in used]

    def _edges(self, text: str, written: str) -> Edges:
        parts = written.split(".")
        if len(parts) != len(self._numbers):
            raise self.outside(text, f"a cell has {len(parts)} edges, expected {len(self._numbers)}")
        edges = []
        for number, part in enumerate(parts):
            operation, _, source = part.partition("~")
            if operation not in self._cell.operations:
                raise self.outside(text, f"'{operation[:_LONGEST]}' is not one of {', '.join(self._cell.operations)}")
            node = 2 + number // 2
            if source not in map(str, range(node)):
                raise self.outside(text, f"edge {number}, '{part[:_LONGEST]}', must come from a node before {node}")
            edges.append((operation, int(source)))
        return edges


class NDSCellSpace(CellSpace):
    """Networks of a cell family of NDS. Implements `zcproxy.contracts.task.SearchSpace`.

    Args:
        family: a key of `zcproxy.benchmarks.nds.families.CELLS`.
    """

    def __init__(self, family: str) -> None:
        super().__init__(f"nds_{family.lower()}", CELLS[family], WIDTHS, DEPTHS)
        self.family = family

    def build(self, architecture: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """Return the untrained network; images of more than 32 pixels get the ImageNet stem.

        Raises:
            BenchmarkError: the inputs are not square colour images.
        """
        if len(input_shape) != 3 or input_shape[0] != 3 or input_shape[1] != input_shape[2]:
            raise BenchmarkError(f"NDS networks take square colour images, not inputs of shape {input_shape}")
        return self.network(architecture, input_shape[0], input_shape[1], classes)

    def from_entry(self, net: Mapping[str, Any]) -> str:
        """Return the architecture of the `net` of an official entry.

        Raises:
            BenchmarkError: it describes no network of this family; the message says what is wrong.
        """
        try:
            genotype = net["genotype"]
            cells = {kind: [(str(name), whole_number(source)) for name, source in genotype[kind]] for kind in _KINDS}
            ends = {kind: [whole_number(end) for end in genotype[f"{kind}_concat"]] for kind in _KINDS}
            choice = CellChoice(
                whole_number(net["width"]), whole_number(net["depth"]), cells["normal"], cells["reduce"]
            )
        except (KeyError, RecursionError, TypeError, ValueError) as error:
            missing = f"it has no {error}" if isinstance(error, KeyError) else str(error)
            raise BenchmarkError(f"this is not a network of the NDS family {self.family}: {missing}") from error
        architecture = self.parse(text_of(choice))
        for kind in _KINDS:
            expected = self._ends(cells[kind])
            if ends[kind] != expected:
                found = str(ends[kind])[:_LONGEST]
                raise BenchmarkError(f"'{kind}_concat' is {found}, in the family {self.family} it is {expected}")
        return architecture


_KINDS = ("normal", "reduce")
_LONGEST = 60


def text_of(choice: CellChoice) -> str:
    """Return how an architecture is written."""
    cells = (choice.normal, choice.reduction)
    written = (".".join(f"{operation}~{source}" for operation, source in edges) for edges in cells)
    return "/".join([f"w{choice.width}d{choice.depth}", *written])
