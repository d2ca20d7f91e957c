"""What one try came to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum
from random import Random


class Verdict(Enum):
    """How a try ended."""

    FINE = "fine"
    """It was taken, and what came out is right as far as that can be known."""

    REFUSED = "refused"
    """It was refused in one line."""

    LONG = "long"
    """It asks for more computing than a try has time for; it was stopped, which it obeyed."""

    FAILED = "failed"
    """A promise was broken."""


@dataclass(frozen=True)
class Outcome:
    """What one try came to.

    Attributes:
        verdict: how it ended.
        kind: of the failure: failures of one kind most likely have one cause. Empty where there is none.
        detail: what was seen.
        case: what was tried, printable.
        parts: how many attacks the try was made of: signals that met a process alive, for example.
    """

    verdict: Verdict
    kind: str = ""
    detail: str = ""
    case: str = ""
    parts: int = 1


class PromiseError(Exception):
    """A try found something that must not be; the text is the kind of the failure, then `: ` and a detail."""


def try_random(seed: int, subject: str, index: int) -> Random:
    """Return the generator of one try: it depends on the seed, the subject and the index alone."""
    digest = hashlib.sha256(f"{seed} {subject} {index}".encode()).digest()
    return Random(int.from_bytes(digest[:8], "big"))


def printable(text: str, limit: int = 2000) -> str:
    """Return a text that any terminal and file can take: everything beyond ASCII is escaped, long texts are cut."""
    shown = text.encode("unicode_escape").decode("ascii")
    return shown if len(shown) <= limit else f"{shown[:limit]}... ({len(shown)} characters)"
