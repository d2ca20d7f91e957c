"""The documentation site: built once without executing the notebooks, which `make docs` does."""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path

import pytest

from rooms import ROOT
from zcproxy.primitives.zoo import AGGREGATES, NAMES
from zcproxy.proxies import NAMES as OURS

DOCS = ROOT / "docs"
TUTORIALS = sorted(path for path in (DOCS / "tutorials").glob("*.md") if path.stem != "index")
MISSING = [name for name in ("sphinx", "myst_nb", "furo") if find_spec(name) is None]
FETCHES = {"img": "src", "script": "src", "link": "href", "iframe": "src", "source": "src", "video": "src"}
"""Elements that a browser asks for by itself, and the attribute that says where."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built pages; a warning is an error."""
    if MISSING:
        pytest.skip(f"builds the documentation site: install the extra `docs` ({', '.join(MISSING)} missing)")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "--fail-on-warning", "--keep-going", "-b", "html"]
    environment = {**os.environ, "ZCPROXY_NOTEBOOKS": "off"}
    built = subprocess.run(
        [*command, "-d", folder / "doctrees", DOCS, folder / "html"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr[-3000:]
    return folder / "html"


class _Requests(HTMLParser):
    """Collects what a page makes a browser fetch, and the files and places that it links to."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.places: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        address = given.get(FETCHES.get(tag, ""))
        if address:
            self.fetched.append(address)
        if tag == "a" and given.get("href"):
            self.links.append(str(given["href"]))
        self.places |= {str(given[name]) for name in ("id", "name") if given.get(name)}


def _read(page: Path) -> _Requests:
    parser = _Requests()
    parser.feed(page.read_text(encoding="utf-8"))
    return parser


def test_no_page_asks_another_host(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert site / "index.html" in pages and len(pages) > 100
    asked = [
        f"{page.relative_to(site)}: {address}"
        for page in pages
        for address in _read(page).fetched
        if re.match(r"(?:[a-z]+:)?//", address)
    ]
    assert asked == []


def test_no_style_asks_another_host(site: Path) -> None:
    styles = list(site.rglob("*.css"))
    assert styles
    text = "".join(path.read_text(encoding="utf-8") for path in styles)
    assert re.findall(r"(?:url\(|@import)\s*['\"]?(?:[a-z]+:)?//[^)'\"]*", text) == []


def test_every_link_between_pages_leads_somewhere(site: Path) -> None:
    parsed = {page.resolve(): _read(page) for page in site.rglob("*.html")}
    broken = []
    for page, found in parsed.items():
        for link in found.links:
            path, _, place = link.partition("#")
            if re.match(r"[a-z]+:", link):
                continue
            target = (page.parent / path).resolve() if path else page
            if not target.is_file() or (place and target in parsed and place not in parsed[target].places):
                broken.append(f"{page.relative_to(site.resolve())}: {link}")
    assert broken == []


def test_every_public_name_has_an_entry(site: Path) -> None:
    groups = runpy.run_path(str(DOCS / "write_api.py"))["GROUPS"]
    names = {f"{module}.{name}" for module, listed in groups.values() for name in listed}
    entries = set().union(*(_read(page).places for page in (site / "generated" / "reference").glob("*.html")))
    assert names - entries == set()
    overview = _read(site / "api.html").links
    assert [name for name in sorted(names) if not any(link.endswith(f"#{name}") for link in overview)] == []


@pytest.mark.parametrize("name", [*OURS, *NAMES, *AGGREGATES])
def test_every_proxy_has_a_card(site: Path, name: str) -> None:
    card = (site / "generated" / "gallery" / f"{name}.html").read_text(encoding="utf-8")
    assert f"<h1>{name}<" in card
    assert f'href="{name}.html"' in (site / "generated" / "gallery" / "index.html").read_text(encoding="utf-8")
    assert "<math" in card or name in AGGREGATES


def test_cards_of_the_package_say_what_was_measured_and_where_they_fail(site: Path) -> None:
    for name in OURS:
        card = (site / "generated" / "gallery" / f"{name}.html").read_text(encoding="utf-8")
        for text in ("Measures.", "Found.", "Fails.", "params", "unseen by the run"):
            assert text in card, (name, text)


def test_tutorials_are_stored_without_outputs() -> None:
    assert len(TUTORIALS) == 4
    assert list(DOCS.rglob("*.ipynb")) == []
    for path in TUTORIALS:
        text = path.read_text(encoding="utf-8")
        assert text.startswith("---\nfile_format: mystnb\n"), path
        assert text.count("```{code-cell} ipython3\n") >= 4, path
        assert "data:image" not in text and "{output" not in text, path


def test_the_search_index_knows_proxies_and_public_names(site: Path) -> None:
    text = (site / "searchindex.js").read_text(encoding="utf-8")
    index = json.loads(text.removeprefix("Search.setIndex(").removesuffix(")"))
    assert "generated/gallery/synflow" in index["docnames"]
    assert "discov" in index["terms"] or "discover" in index["terms"]


def test_forty_networks_take_less_than_thirty_lines() -> None:
    """What the user of the first tutorial writes: the cells up to the formula, without what trains the networks."""
    text = (DOCS / "tutorials" / "your-networks.md").read_text(encoding="utf-8")
    cells = re.findall(r"```\{code-cell\} ipython3\n(.*?)```", text, re.DOTALL)
    written = [cell for cell in cells if "hide-input" not in cell]
    place = next(place for place, cell in enumerate(written) if "zcproxy.discover(" in cell)
    lines = [line for cell in written[: place + 1] for line in cell.splitlines() if line.strip()]
    assert len(lines) < 30
