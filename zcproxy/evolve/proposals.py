"""New layer-level expressions that a run proposes: mutated columns of its best formulas, and fresh ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from zcproxy.columns.table import ColumnTable
from zcproxy.formula import Kind, Node, is_per_block, vocabulary
from zcproxy.formula.canonical import canonical
from zcproxy.formula.choices import Choices, tensor_choices
from zcproxy.formula.variation import mutate
from zcproxy.probing.expressions import probes_of
from zcproxy.probing.probes import OF_TEACHER
from zcproxy.probing.statistic import statistic_of
from zcproxy.random import generator

FRESH_SHARE = 0.4
FRESH_DEPTH = 4
LARGEST_COLUMN = 8
"""Most nodes of a proposed column: it has to leave room for the rest of the formula."""

ATTEMPTS_EACH = 200


def propose_columns(
    formulas: Sequence[Node],
    known: Iterable[Node],
    count: int,
    *,
    seed_names: Sequence[str | int],
    accept: Callable[[Node], bool],
) -> list[Node]:
    """Return up to `count` columns that are not known yet, all under the probe that the formulas use most.

    One probe, because every further one would add its passes to the sweep.

    Args:
        formulas: the best formulas so far.
        known: columns that exist.
        count: how many to propose.
        seed_names: what all randomness is derived from.
        accept: whether a column may be proposed.
    """
    rng = generator("columns", *seed_names)
    columns = [column for formula in formulas for column in formula.columns() if probes_of(column)]
    probe = _commonest_probe(columns)
    if probe is None:
        return []
    parents = [column for column in columns if probes_of(column) == {probe} and column.kind is Kind.LAYER]
    choices = _choices_for(probe)
    found: dict[Node, None] = {}
    existing = set(known)
    for _ in range(ATTEMPTS_EACH * count):
        if len(found) == count:
            break
        if parents and rng.random() >= FRESH_SHARE:
            column = mutate(rng.choice(parents), choices, rng, whole_columns=False)
        else:
            column = choices.generate(Kind.LAYER, rng, FRESH_DEPTH)
        column = canonical(column)
        reads_probe = probes_of(column) == {probe}
        if (
            reads_probe
            and accept(column)
            and column.is_column
            and column.size <= LARGEST_COLUMN
            and column not in existing
        ):
            found.setdefault(column)
    return list(found)


def useful_columns(tables: Sequence[ColumnTable], proposed: Sequence[Node]) -> list[Node]:
    """Return the proposed columns that are finite in every layer of every network and not the same in all.

    Columns of blocks are left out: beside those of layers they are undefined where a layer ends no block.
    """
    return [
        column
        for column in proposed
        if not is_per_block(column) and all(_tells_apart(table.values[column]) for table in tables)
    ]


def _commonest_probe(columns: Iterable[Node]) -> str | None:
    counts = Counter(name for column in columns for name in sorted(probes_of(column)))
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    return next((name for name in ranked if name not in ("chunks", "ones", *OF_TEACHER)), None)


def _choices_for(probe: str) -> Choices:
    leaves = vocabulary().leaves
    names = [text for text, kind in leaves.items() if not kind.is_number and statistic_of(text).probe in ("", probe)]
    return tensor_choices(vocabulary().leaf(text) for text in names if text != f"weight@{probe}")


def _tells_apart(values: NDArray[np.floating]) -> bool:
    return bool(values.size and np.isfinite(values).all() and np.ptp(values) > 0)
