"""Whether an answer keeps the promises: see `fuzz`."""

from __future__ import annotations

import re
import unicodedata
from signal import Signals

from fuzz.outcome import Outcome, PromiseError, Verdict, printable
from fuzz.server import Finished

LONGEST_MESSAGE = 500
_LONGEST_LINE = 20_000

_FRAME = re.compile(r'File "(?:[^"]*/)?((?:zcproxy|primitives|benchmarks|fuzz)/[^"]+\.py)", line \d+, in (\S+)')
_EXCEPTION = re.compile(r"^(?P<name>[A-Za-z_][\w.]*)(?::|$)", re.MULTILINE)
_TRACEBACK = "Traceback (most recent call last)"
_BOX = re.compile(r"^│(.*)│\s*$", re.MULTILINE)


def judge(finished: Finished, *, may_be_long: bool = False) -> Outcome:
    """Return the outcome of a command.

    Args:
        finished: how it ended.
        may_be_long: whether it may ask for more computing than it has time for.
    """
    tail = printable(finished.err[-3000:], 4000)
    if finished.timed_out:
        if may_be_long and finished.obeyed and not finished.left_behind:
            return Outcome(Verdict.LONG)
        return Outcome(Verdict.FAILED, "time-out" if finished.obeyed else "time-out, SIGTERM ignored", tail)
    try:
        check_process(finished)
        check_characters(finished.out)
        check_characters(finished.err)
        if finished.code != 0:
            check_message(finished.err, finished.out)
    except PromiseError as broken:
        kind, _, detail = str(broken).partition(": ")
        return Outcome(Verdict.FAILED, kind, f"{detail}\n{tail}".strip())
    return Outcome(Verdict.REFUSED if finished.code else Verdict.FINE)


def check_process(finished: Finished) -> None:
    """Raise `PromiseError` over a dead process, a traceback, another exit status, or processes left behind."""
    if finished.code < 0:
        raise PromiseError(f"died of {Signals(-finished.code).name}")
    check_traceback(finished.err)
    check_traceback(finished.out)
    if finished.code not in (0, 1, 2):
        raise PromiseError(f"exit code {finished.code}")
    if finished.left_behind:
        raise PromiseError("processes left behind")
    if "Warning: " in finished.err:
        name = re.search(r"(\w*Warning): ", finished.err)
        raise PromiseError(f"a warning is shown ({name[1] if name else 'Warning'})")


def check_traceback(text: str) -> None:
    """Raise `PromiseError` over a traceback, of the exception and the innermost place in this project."""
    if _TRACEBACK not in text:
        return
    last = text[text.rindex(_TRACEBACK) :]
    frames = _FRAME.findall(last)
    names = [match["name"] for match in _EXCEPTION.finditer(last) if "." in match["name"] or match["name"][0].isupper()]
    name = next((each for each in names if each != "Traceback"), "?").rpartition(".")[2]
    place = f" in {frames[-1][0]}:{frames[-1][1]}" if frames else ""
    raise PromiseError(f"traceback {name}{place}: {printable(last[-1500:], 2000)}")


def check_characters(text: str) -> None:
    """Raise `PromiseError` over what a terminal would obey, or what turns the direction of writing."""
    for character in text:
        category = unicodedata.category(character)
        if (category in ("Cc", "Cs") and character not in "\n\t") or "\u202a" <= character <= "\u202e":
            raise PromiseError(f"control character on the terminal: {character!r}")
        if "\u2066" <= character <= "\u2069":
            raise PromiseError(f"control character on the terminal: {character!r}")


def check_message(err: str, out: str = "") -> None:
    """Raise `PromiseError` unless a refusal says in one line of at most 500 characters what is wrong."""
    ours = err.find("zcproxy: ")
    if ours >= 0 and (ours == 0 or err[ours - 1] == "\n"):
        message = err[ours:].strip()
        if "\n" in message:
            raise PromiseError(f"message of several lines: {len(message.splitlines())}")
    elif "Error" in err and _BOX.search(err):
        message = " ".join(line.strip() for line in _BOX.findall(err))
    elif "Usage: " in err or "Usage: " in out:
        message = ""
    elif "Aborted" in err:
        message = "Aborted"
    else:
        raise PromiseError("refused without a message")
    if len(message) > LONGEST_MESSAGE:
        raise PromiseError(f"message of more than {LONGEST_MESSAGE} characters: {len(message)}")
