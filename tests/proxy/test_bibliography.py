"""BibTeX of published proxies."""

from __future__ import annotations

import re

import pytest

from zcproxy.primitives.zoo import AGGREGATES, NAMES, published, published_aggregate
from zcproxy.proxy.bibliography import PAPERS, papers_of

WITHOUT = {"apd", "flops", "ibfs", "intrain", "params", "weight_layers", "wrcor"}
"""Baselines, and proxies whose text we have not found."""


@pytest.mark.parametrize("name", [*NAMES, *AGGREGATES])
def test_each_paper_that_an_entry_names_is_found(name: str) -> None:
    entry = published(name) if name in NAMES else published_aggregate(name)
    found = papers_of(entry.paper)
    assert len(found) == (0 if name in WITHOUT else len(entry.paper.split(";")))
    for paper in found:
        assert f"{paper.year}" in entry.paper and paper.surname in entry.paper


def test_the_entries_can_be_told_apart_and_are_whole() -> None:
    assert len({paper.key for paper in PAPERS}) == len(PAPERS)
    assert [paper.surname for paper in PAPERS] == sorted(paper.surname for paper in PAPERS)
    for paper in PAPERS:
        text = paper.bibtex()
        assert text.count("{") == text.count("}")
        assert re.fullmatch(r"@(inproceedings|article)\{[a-z]+20\d\d[a-z]+,", text.splitlines()[0])
        assert paper.venue or paper.arxiv
