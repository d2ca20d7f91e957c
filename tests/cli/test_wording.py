"""Messages of the library in the words of the command line."""

from __future__ import annotations

import pytest

from zcproxy.cli.commands import PLACES, program
from zcproxy.cli.wording import in_options, options_of

PROGRAM = program()
for name in PLACES:
    PROGRAM.load(name)
OPTIONS = options_of(PROGRAM)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("networks=3 is too few: give 16 or more", "--networks 3 is too few: give 16 or more"),
        ("choose another `out`", "choose another --out"),
        ("`warm_start` needs `formula`", "--warm-start needs --proxy"),
        ("whose limits are seconds=60, generations=2: they", "whose limits are --budget 60, --generations 2: they"),
        ("add allow_code=mine:Space", "add --allow-code mine:Space"),
        ("maximum_size=3", "--maximum-size 3"),
        ("`zcproxy benchmark list` shows depth=2 width=16", "`zcproxy benchmark list` shows depth=2 width=16"),
        ("'networks=3' of a file, x.networks=3", "'networks=3' of a file, x.networks=3"),
    ],
)
def test_arguments_become_options(message: str, expected: str) -> None:
    assert in_options(message, OPTIONS) == expected


def test_every_field_that_is_an_option_has_its_name() -> None:
    assert OPTIONS["maximum_size"] == "--maximum-size" and OPTIONS["resampled"] == "--resampled"
    assert set(OPTIONS) >= {"networks", "seed", "probes", "evaluations", "latency_threads", "allow_code"}
