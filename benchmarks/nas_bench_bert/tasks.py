"""The task of NAS-Bench-BERT: rank encoders by their mean score on GLUE."""

from __future__ import annotations

from functools import cache

from zcproxy.benchmarks.nas_bench_bert.encoder import VOCABULARY
from zcproxy.benchmarks.nas_bench_bert.labels import GLUE, TABLE
from zcproxy.benchmarks.nas_bench_bert.space import FlexiBertSpace
from zcproxy.benchmarks.shared.table_task import TableTask
from zcproxy.images.tokens import Tokens

LENGTH, CLASSES = 32, 2
"""Tokens of a sequence that networks are shown, and logits: those of most tasks of GLUE."""


@cache
def load_task(dataset: str) -> TableTask:
    """Return the task of a dataset: `glue`."""
    return TableTask(f"nas_bench_bert/{dataset}", FlexiBertSpace(), TABLE, GLUE, Tokens(LENGTH, VOCABULARY), CLASSES)
