"""HTML of results: escaped, short, and without colours."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd

from zcproxy.notebook.html import MOST_ROWS, html_table

FRAME = pd.DataFrame(
    {
        "name": ["<script>alert(1)</script>", "a & b", "\x1b[31m\u202e", None],
        "tau": [0.123456, np.nan, 1234567.0, -1.0],
        "count": [1, 20, 1234567, 0],
        "chosen": [True, False, False, True],
    }
)


class Cells(HTMLParser):
    """Collects the texts of cells, and checks that every tag is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        if tag != "br":
            self.open.append(tag)
        if tag in ("td", "th"):
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] in (["td"], ["th"]):
            self.texts[-1] += data


def read(text: str) -> Cells:
    found = Cells()
    found.feed(text)
    assert not found.open
    return found


def test_texts_are_escaped_and_numbers_are_short() -> None:
    found = read(html_table("<b>two\nlines</b>", FRAME))
    assert found.tags == {"div", "table", "thead", "tbody", "tr", "th", "td", "br"}
    assert found.texts[:4] == ["name", "tau", "count", "chosen"]
    assert found.texts[4:8] == ["<script>alert(1)</script>", "0.1235", "1", "✓"]
    assert found.texts[8:12] == ["a & b", "–", "20", ""]
    assert found.texts[12:15] == [r"\x1b[31m\u202e", "1,234,567", "1,234,567"]
    assert found.texts[16:18] == ["–", "-1"]


def test_no_colour_is_set_but_a_line_between_light_and_dark() -> None:
    text = html_table("x", FRAME)
    assert "<style" not in text and "<script" not in text
    colours = re.findall(r"(?<![-\w])(?:background|color):([^;\"]+)", text)
    assert set(colours) == {"none", "inherit"}


def test_a_long_table_shows_its_first_rows_and_says_how_many_there_are() -> None:
    long = pd.DataFrame({"formula": ["x" * 5000] * 5000})
    text = html_table("headline " * 5000, long)
    assert text.count("<tr>") == 1 + MOST_ROWS and f"{MOST_ROWS} of 5,000 rows" in text
    assert len(text) < 12_000
    assert "rows</div>" not in html_table("x", long.head(3))


def test_a_table_without_rows_or_columns_is_one() -> None:
    for frame in (pd.DataFrame(), pd.DataFrame({"a": []})):
        assert read(html_table("nothing", frame)).tags >= {"table"}
