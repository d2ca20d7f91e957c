"""Flat TOML: a table of options, each a truth value, a number, a text, or several of them.

Reading is the work of `tomllib`. Writing needs no package: a flat table has no nested values, dates or inline tables,
so that a key and a value per line are all there is, and what the tests write is read back by `tomllib`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from zcproxy.text.escaping import well_formed

Scalar = bool | int | float | str
Value = Scalar | Sequence[Scalar]


def toml_table(heading: str, values: Mapping[str, Value]) -> str:
    """Return a table as TOML, a line per value.

    Args:
        heading: keys of the table from the outside in, with dots between them, such as `benchmark.build`; of letters,
            digits, hyphens and dots.
        values: by keys of letters, digits, hyphens and underscores.
    """
    lines = [f"{key} = {_written(value)}" for key, value in values.items()]
    return "\n".join([f"[{heading}]", *lines, ""])


def _written(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(well_formed(value), ensure_ascii=False).replace("\x7f", r"\u007f")
    if isinstance(value, int | float):
        return repr(value)
    return f"[{', '.join(map(_written, value))}]"
