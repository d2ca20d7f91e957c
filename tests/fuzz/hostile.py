"""Texts, numbers and files that programs stumble over."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from fuzz.client import MARKER

ESCAPES = (
    "\x1b[2J\x1b]0;title\x07",
    "\x1b]8;;http://example.org\x07link\x1b]8;;\x07",
    "\x9b31mred",
    "\x08\x08\x08",
    "\rback",
    "\x7f",
    "a\nzcproxy: forged",
    "\u202eabc",
    "\u2066abc",
    "\u2028line",
    "\x00" + "null",
)
MARKUP = (
    "[red]",
    "[/x]",
    "[/]",
    "[link=file:///etc/passwd]x",
    "[bold]x[/bold]",
    ":smile:",
    "out[red].json",
    "\\[",
    "[",
)
INJECTIONS = (
    f'"""\nimport os; os.system("touch {MARKER}")\n"""',
    f"'; open('{MARKER}', 'w'); '",
    f"$(touch {MARKER})",
    f"`touch {MARKER}`",
    f"__import__('os').system('touch {MARKER}')",
    "=cmd|' /C calc'!A0",
    "\\input{/etc/passwd}",
    "} \\end{tabular}",
    "| a | b |",
    "<script>alert(1)</script>",
    "%s%n%d",
    "{0.__class__}",
    "../../escape",
)
UNICODE = ("²", "٣", "Ω", "𝟙", "ſ", "e\u0301", "🙂", "\ufeff", "ﬁ", "\u00a0", "İ", "中文", "\udcff")
WORDS = (
    "",
    " ",
    ".",
    "..",
    "-",
    "--",
    "a" * 300,
    "x" * 5000,
    "None",
    "null",
    "NaN",
    "all",
    "zoo",
    "\t",
    ",",
    ",,",
    "a,b",
    "@",
)

NUMBERS = (
    *("0", "1", "2", "3", "-1", "-0", "00", "+3", "7.0", "1.5", "0.5", "1e3", "1e308", "1e400", "-1e308", "1e-320"),
    *(
        "nan",
        "inf",
        "-inf",
        "Infinity",
        "0x10",
        "1_000",
        "１",
        "²",
        "٣",
        "",
        " ",
        "1 2",
        "1,5",
        "9" * 20,
        "-" + "9" * 20,
    ),
    *("9" * 400, "9" * 5000, "0." + "0" * 5000 + "1", "2147483648", "18446744073709551616", "4611686018427387904"),
)
"""Texts where a number is expected."""

ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 5, 2**31, 2**63, 10**30, -(10**30), 10**400, 0.5, -0.0, 1e308, float("nan")),
    *(float("inf"), "", "x", "5", [], [5], [None], [[]], {}, {"a": 1}, [{}], "os:system", "attack:run"),
)
"""Values where JSON has something else."""


def text(rng: Random) -> str:
    """Return a hostile text, now and then a join of several."""
    pools = (ESCAPES, MARKUP, INJECTIONS, UNICODE, WORDS, NUMBERS)
    parts = [rng.choice(rng.choice(pools)) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
    if rng.random() < 0.02:
        return rng.choice(("x", "(", "[red]", "é", "\x1b[1m", "1")) * 10 ** rng.randint(3, 5)
    return rng.choice(("", "", " ", "/", ",")).join(parts)


def argument(rng: Random) -> str:
    """Return a hostile text that a command line can hold: no null character."""
    return text(rng).replace("\x00", "")


def odd_files(folder: Path, rng: Random) -> dict[str, Path]:
    """Make files of all kinds in a folder, and return them by their kind.

    Devices are nodes of the folder's own, so that a program that replaces one harms nothing; without the right to make
    them there are none.
    """
    place = folder / "odd"
    place.mkdir()
    found = {
        name: place / name for name in ("directory", "empty", "binary", "text", "fifo", "dangling", "loop", "memory")
    }
    found["directory"].mkdir()
    found["empty"].touch()
    found["binary"].write_bytes(rng.randbytes(300))
    found["text"].write_text(rng.choice(("{}", "[]", "5", "a,b\n1,2\n", '{"format": 1}', "params\n")))
    os.mkfifo(found["fifo"])
    found["dangling"].symlink_to("nowhere")
    found["loop"].symlink_to("loop")
    found["memory"].symlink_to("/proc/self/mem")
    for name, minor in (("null", 3), ("zero", 5), ("full", 7)):
        with suppress(OSError):
            os.mknod(place / f"{name}-device", 0o666 | stat.S_IFCHR, os.makedev(1, minor))
            (place / name).symlink_to(f"{name}-device")
            found |= {name: place / name, f"{name}-device": place / f"{name}-device"}
    for number, name in enumerate(("out[red].json", "[", "\x1b[31mred", "new\nline", "²", "a" * 250, " ", "-")):
        found[f"name-{number}"] = place / name
        found[f"name-{number}"].write_text('{"format": 1, "formula": "sum(params)"}')
    return found


ENDLESS = ("fifo", "zero", "zero-device")
"""Kinds of odd files that never end."""

IMAGINARY = (
    "missing",
    "missing/deep/file",
    "a" * 300,
    "a/" * 2100 + "b",
    "",
    "~nobody/x",
    "file:///etc/passwd",
    "text/x",
)
"""Paths without a file."""
