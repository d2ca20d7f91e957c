"""A few tries of every subject; `make fuzz` makes many."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fuzz.campaign import SUBJECTS, Tally, attack, replay_command
from fuzz.kills import Kills
from fuzz.materials import Materials
from fuzz.outcome import Outcome, Verdict, try_random

SEED = 19
TRIES = {"formulas": 1500, "proxies": 30, "stored": 12, "journals": 8, "tables": 12, "pickles": 40, "commands": 20}
TRIES |= {"flips": 10}
KILLED, MOST_ATTEMPTS = 3, 12
"""Signals that have to meet a running search, and searches that are tried for it: a late signal meets none."""


@pytest.fixture(scope="module")
def materials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Materials]:
    found = Materials(tmp_path_factory.mktemp("fuzz"))
    yield found
    found.close()


def shown(tally: Tally) -> str:
    return "\n".join(f"{kind}: {replay_command(tally.subject, SEED, first)}" for kind, first in tally.first.items())


@pytest.mark.parametrize("subject", TRIES)
def test_nothing_breaks_a_promise(subject: str, materials: Materials) -> None:
    tally = attack(subject, materials, SEED, range(TRIES[subject]))
    assert tally.tries == TRIES[subject]
    assert not tally.kinds, shown(tally)


def test_every_subject_is_sampled() -> None:
    assert {*TRIES, "kills"} == set(SUBJECTS)


def test_a_killed_search_ends_as_an_uninterrupted_one(materials: Materials) -> None:
    kills = Kills(materials)
    outcomes: list[Outcome] = []
    for index in range(MOST_ATTEMPTS):
        if index >= KILLED and sum(outcome.parts for outcome in outcomes) >= KILLED:
            break
        folder = materials.root / f"kills-{index}"
        outcomes.append(kills.attempt(try_random(SEED, "kills", index), folder, ["search"], workers=1))
    assert all(outcome.verdict is Verdict.FINE for outcome in outcomes), outcomes
    assert sum(outcome.parts for outcome in outcomes) >= KILLED
