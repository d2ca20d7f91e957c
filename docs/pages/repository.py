"""READMEs of results and benchmarks as pages, and links that lead out of the folder of the documentation."""

from __future__ import annotations

import os
import posixpath
import re
import tomllib
from functools import cache
from pathlib import Path

from sphinx.application import Sphinx

from . import written

DOCS = Path(__file__).parents[1]
ROOT = DOCS.parent

PROJECT_FILES = ("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
ELSEWHERE = {
    "README.md": "docs/index.md",
    "results/proxies/README.md": f"docs/{written.FOLDER}/gallery/index.md",
    "primitives/zoo": f"docs/{written.FOLDER}/gallery/index.md",
}
"""What the site says on another page."""
BRANCH = "main"
URL_NAMES = ("Repository", "Source", "Homepage")
"""Entries of `[project.urls]` that the address of the repository is read from, the first that is there."""

_FENCE = re.compile(r"^( *)(```+|~~~+).*?^\1\2[^\n]*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^)\s]+)\)")


def pages() -> dict[str, str]:
    """Return the pages by their path below the generated folder: the files as they are, and an index of each kind."""
    files = {_below(path): (ROOT / path).read_text(encoding="utf-8") for path in _sources()}
    return {
        **files,
        "repository/results.md": _index(
            "Results",
            "What was measured with zcproxy, each with its populations, intervals and the command that makes it again.",
            "results",
        ),
        "repository/benchmarks.md": _index(
            "Benchmarks, one by one",
            "Papers, labels, populations, and what was checked against the source.",
            "benchmarks",
        ),
    }


def pointed(app: Sphinx, docname: str, source: list[str]) -> None:
    """Point the links of a page that leave the folder of the documentation at other pages, or at the repository.

    A file that is no page is linked to where the project's address is known, else it is named.
    """
    place = _origin(docname)
    kept, last = [], 0
    for fence in _FENCE.finditer(source[0]):
        kept += [_linked(source[0][last : fence.start()], place, docname), fence.group()]
        last = fence.end()
    source[0] = "".join([*kept, _linked(source[0][last:], place, docname)])


def _linked(text: str, place: str, docname: str) -> str:
    return _LINK.sub(lambda link: _replaced(link, place, docname), text)


def _replaced(link: re.Match[str], place: str, docname: str) -> str:
    image, text, target = link.groups()
    path, _, anchor = target.partition("#")
    if not path or re.match(r"[a-z]+:", target):
        return link.group()
    file = posixpath.normpath(posixpath.join(posixpath.dirname(place), path))
    here = posixpath.dirname(f"docs/{docname}")
    known = _page_of(file)
    if known:
        # The pages that replace READMEs have other headings.
        behind = f"#{anchor}" if anchor and file not in ELSEWHERE else ""
        return f"[{text}]({posixpath.relpath(known, here)}{behind})"
    if not (ROOT / file).exists():
        return link.group()  # Sphinx then says which page has it
    if image:
        return f"![{text}]({posixpath.relpath(file, here)})"
    address = repository_address()
    if address:
        kind = "tree" if (ROOT / file).is_dir() else "blob"
        return f"[{text}]({address}/{kind}/{BRANCH}/{file})"
    return text if text.strip("`") in file else f"{text} (`{file}`)"


def _page_of(file: str) -> str | None:
    """Return the page, from the root of the repository, that a file is on."""
    if file in ELSEWHERE:
        return ELSEWHERE[file]
    if file in _sources():
        return f"docs/{written.FOLDER}/{_below(file)}"
    return file if file.startswith("docs/") and file.endswith(".md") else None


def _origin(docname: str) -> str:
    """Return the file of a page, from the root of the repository."""
    copied = f"{written.FOLDER}/repository/"
    name = f"{docname.removeprefix(copied)}.md"
    return name if docname.startswith(copied) and name in _sources() else f"docs/{docname}.md"


@cache
def _sources() -> tuple[str, ...]:
    """Return the files outside of the documentation that are pages too."""
    found = [*ROOT.glob("results/*/README.md"), *ROOT.glob("benchmarks/*/README.md")]
    names = sorted(path.relative_to(ROOT).as_posix() for path in found)
    return (*(name for name in names if name not in ELSEWHERE), *PROJECT_FILES)


def _below(file: str) -> str:
    return f"repository/{file}"


def _index(title: str, says: str, folder: str) -> str:
    names = [os.path.splitext(file)[0] for file in _sources() if file.startswith(f"{folder}/")]
    lines = [f"- [{_heading(f'{name}.md')}]({name}.md)" for name in names]
    return written.page(f"# {title}", says, "\n".join(lines), written.toctree(*names))


def _heading(file: str) -> str:
    first, _, _ = (ROOT / file).read_text(encoding="utf-8").partition("\n")
    return first.removeprefix("# ").strip()


@cache
def repository_address() -> str:
    """Return the address of the repository as `[project.urls]` has it; empty where it has none."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    urls: dict[str, str] = project.get("urls", {})
    return next((urls[name].rstrip("/") for name in URL_NAMES if name in urls), "")
