"""What is written as TOML is read back by the standard library."""

from __future__ import annotations

import tomllib
from pathlib import Path

from hypothesis import given, strategies as st

from zcproxy.storage.files import write_text
from zcproxy.text.toml import Value, toml_table

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = st.one_of(st.booleans(), st.integers(), st.floats(allow_nan=False), TEXTS)
KEYS = st.from_regex(r"[a-z][a-z0-9-]*", fullmatch=True)


@given(st.dictionaries(KEYS, st.one_of(SCALARS, st.lists(SCALARS))))
def test_a_table_is_read_back(values: dict[str, Value]) -> None:
    assert tomllib.loads(toml_table("evolve", values)) == {"evolve": values}


def test_halves_of_characters_can_be_written(tmp_path: Path) -> None:
    write_text(tmp_path / "a.toml", toml_table("benchmark.build", {"out": "a\ud800b\x7f\n"}))
    assert tomllib.loads((tmp_path / "a.toml").read_text()) == {"benchmark": {"build": {"out": "a?b\x7f\n"}}}
