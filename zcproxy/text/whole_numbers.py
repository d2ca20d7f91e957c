"""Whole numbers as users write them: ASCII digits, of a length that no computation chokes on."""

from __future__ import annotations

LONGEST = 9
"""Digits of the largest number that is read."""


def whole_number(text: str) -> int | None:
    """Return the whole number that a text of one to nine digits writes, or None for another text."""
    return int(text) if len(text) <= LONGEST and text.isascii() and text.isdigit() else None
