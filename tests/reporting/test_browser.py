"""Pages in a browser: nothing is asked of any host, nothing is wider than the window, and they open at once."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from zcproxy.reporting.report import write_report

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="looks at pages in Chromium, which is not installed: apt-get install chromium"
)

FRAME = """<!DOCTYPE html><title>waiting</title>
<iframe id="page" style="width:{width}px;height:900px;border:0" src="{address}"></iframe>
<script>
document.getElementById("page").onload = event => {{
  const page = event.target.contentWindow, shown = page.document;
  const wide = [...shown.querySelectorAll("body *")].filter(element => {{
    const box = element.getBoundingClientRect();
    return box.right > {width} + 1 && !element.closest(".scroll, .mathematics");
  }});
  document.title = JSON.stringify({{
    asked: page.performance.getEntriesByType("resource").map(entry => entry.name),
    milliseconds: page.performance.getEntriesByType("navigation")[0].domComplete,
    width: shown.documentElement.scrollWidth,
    wide: wide.map(element => element.tagName),
    background: page.getComputedStyle(shown.body).backgroundColor,
    ink: page.getComputedStyle(shown.querySelector("h1")).color,
    heights: [...shown.querySelectorAll("svg")].map(element => element.getBoundingClientRect().height),
    formula: [...shown.querySelectorAll("math")].map(element => element.getBoundingClientRect().height),
  }});
}};
</script>
"""
DARK = "--blink-settings=preferredColorScheme=0"


def seen(page: Path, width: int, *options: str) -> dict[str, Any]:
    """Return what a browser of some width makes of a page."""
    frame = page.with_name("frame.html")
    frame.write_text(FRAME.format(width=width, address=page.resolve().as_uri()))
    assert CHROMIUM is not None
    found = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files"),
            *(f"--user-data-dir={page.parent / 'browser'}", "--virtual-time-budget=10000", *options),
            *("--dump-dom", frame.resolve().as_uri()),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    title = re.search(r"<title>(.*?)</title>", found.stdout, re.DOTALL)
    assert title is not None and title[1] != "waiting", found.stderr
    return json.loads(unescape(title[1]))


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("kind", ["ended", "stopped", "tabled", "searched"])
def test_a_page_fits_its_window_and_asks_for_nothing(
    kind: str, width: int, request: pytest.FixtureRequest, page_cache: Path, tmp_path: Path
) -> None:
    page = write_report(request.getfixturevalue(kind), tmp_path / "page.html", cache=page_cache)
    found = seen(page, width)
    assert found["asked"] == [] and found["wide"] == []
    assert found["width"] <= width
    assert found["milliseconds"] < 2000
    assert found["heights"] and all(height > 60 for height in found["heights"])
    if kind in ("ended", "stopped"):
        assert found["formula"] and all(height > 8 for height in found["formula"])


def test_a_page_is_dark_where_the_reader_wants_it_so(tabled: Path, tmp_path: Path) -> None:
    page = write_report(tabled, tmp_path / "page.html")
    light, dark = seen(page, 800), seen(page, 800, DARK)
    assert brightness(light["background"]) > 0.9 and brightness(light["ink"]) < 0.3
    assert brightness(dark["background"]) < 0.3 and brightness(dark["ink"]) > 0.7


def brightness(colour: str) -> float:
    """Return the mean of red, green and blue, from 0 to 1."""
    parts = [int(number) for number in re.findall(r"[0-9]+", colour)[:3]]
    return sum(parts) / (3 * 255)
