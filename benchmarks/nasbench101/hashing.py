"""The key of a cell in the benchmark's files: equal for isomorphic graphs, different for all others that it has.

Ying et al., ICML 2019, section 2.2 and supplement S1: every vertex starts with its degrees and its operation, and takes
in the keys of its neighbours as often as there are vertices.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from zcproxy.benchmarks.nasbench101.cell import OPERATIONS, Cell

_INPUT, _OUTPUT = -1, -2


def module_hash(cell: Cell) -> str:
    """Return the 32 hexadecimal digits that name a cell in the official files."""
    labels = [_INPUT, *map(OPERATIONS.index, cell.operations), _OUTPUT]
    sources = [cell.sources(vertex) for vertex in range(len(labels))]
    targets = [cell.targets(vertex) for vertex in range(len(labels))]
    keys = [
        _digest(str((len(after), len(before), label)))
        for after, before, label in zip(targets, sources, labels, strict=True)
    ]
    for _ in labels:
        keys = [
            _digest("|".join([_joined(keys[each] for each in before), _joined(keys[each] for each in after), own]))
            for before, after, own in zip(sources, targets, keys, strict=True)
        ]
    return _digest(str(sorted(keys)))


def _joined(keys: Iterable[str]) -> str:
    return "".join(sorted(keys))


def _digest(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
