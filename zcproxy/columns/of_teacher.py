"""Columns that compare networks with a teacher: what a run whose probes read one begins with."""

from __future__ import annotations

from collections.abc import Iterable

from zcproxy.formula import Node
from zcproxy.formula.canonical import canonical
from zcproxy.primitives import parse
from zcproxy.probing.probes import OF_TEACHER

COMPARED = ("output", "features", "grad(output)")
"""Statistics whose relations between samples are compared."""

OF_SAMPLES = (
    "relation_distance(sample_gram({own}), sample_gram({other}))",
    "alignment(centre(sample_gram({own})), centre(sample_gram({other})))",
)
OF_CHANNELS = (
    "channel_relation_distance(grad(weight)@{probe}, grad(weight)@{teacher})",
    "relation_distance(channel_gram(output@{probe}), channel_gram(output@{teacher}))",
)
"""Undefined in layers where student and teacher have other widths."""


def teacher_columns(probes: Iterable[str]) -> list[Node]:
    """Return the columns that read a probe of a teacher and the same one of the network, as far as both are allowed."""
    allowed = frozenset(probes)
    texts: list[str] = []
    for teacher, probe in OF_TEACHER.items():
        if {teacher, probe} <= allowed:
            pairs = [(f"{name}@{probe}", f"{name}@{teacher}") for name in COMPARED]
            texts += [text.format(own=own, other=other) for text in OF_SAMPLES for own, other in pairs]
            texts += [text.format(probe=probe, teacher=teacher) for text in OF_CHANNELS]
    return [canonical(parse(text)) for text in texts]
