from __future__ import annotations

import random
from typing import ClassVar

import pytest
from hypothesis import given, strategies as st

from zcproxy.contracts.choice_space import ChoiceSpace
from zcproxy.errors import BenchmarkError


class Space(ChoiceSpace):
    name = "small"
    choices: ClassVar = {"depth": (1, 2), "width": (4, 8, 16), "norm": ("yes", "no")}


SPACE = Space()
EVERYTHING = list(SPACE.enumerate())
architectures = st.sampled_from(EVERYTHING)


def test_everything_is_enumerated_once() -> None:
    assert len(set(EVERYTHING)) == len(EVERYTHING) == SPACE.size == 12


@given(architectures)
def test_text_is_what_it_says(text: str) -> None:
    assert SPACE.parse(text) == SPACE.encode(SPACE.decode(text)) == text
    shuffled = " ".join(sorted(text.split(), reverse=True))
    assert SPACE.parse(shuffled) == text


@given(architectures, architectures, st.integers(0, 1000))
def test_sampling_and_variation_stay_inside(first: str, second: str, seed: int) -> None:
    rng = random.Random(seed)
    assert SPACE.sample(rng) in EVERYTHING
    assert SPACE.mutate(first, rng) in SPACE.neighbours(first)
    child = SPACE.decode(SPACE.crossover(first, second, rng))
    parents = SPACE.decode(first), SPACE.decode(second)
    assert all(option in {parent[choice] for parent in parents} for choice, option in child.items())


@given(architectures)
def test_neighbours_differ_in_one_choice(text: str) -> None:
    neighbours = SPACE.neighbours(text)
    assert len(set(neighbours)) == len(neighbours) == 4
    assert all(len(set(text.split()) - set(other.split())) == 1 for other in neighbours)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("depth=1 width=4", "norm is missing"),
        ("depth=3 width=4 norm=no", "depth is one of 1, 2"),
        ("deph=1 width=4 norm=no", "choice 'deph' is unknown .did you mean depth"),
        ("depth=1 depth=2 width=4 norm=no", "choice 'depth' is taken twice"),
    ],
)
def test_text_outside_the_space_says_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(BenchmarkError, match=message):
        SPACE.parse(text)
