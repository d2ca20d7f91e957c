"""Foreign text (names, paths, messages) as it may be shown: one line, printable, of bounded length."""

from __future__ import annotations

LONGEST_MESSAGE = 480
"""Most characters of an error message, so that it stays below 500 with the name of the program before it."""


def visible(text: str) -> str:
    r"""Return a text in which what has no sign of its own is escaped as in Python: `\x1b`, `\n`, `\u202e`.

    That is control characters, line and paragraph separators, zero-width and bidirectional signs, surrogates and
    spaces other than the common one.
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def shortened(text: str, length: int) -> str:
    """Return a text of at most `length` characters, with `...` in place of what is left out of its middle."""
    if len(text) <= length:
        return text
    kept = length - len(" ... ")
    return f"{text[: kept - kept // 2]} ... {text[len(text) - kept // 2 :]}"


def one_line(text: str, length: int = LONGEST_MESSAGE) -> str:
    """Return a text as one visible line of at most `length` characters; lines are joined with spaces."""
    return shortened(visible(" ".join(line.strip() for line in text.splitlines()).strip()), length)
