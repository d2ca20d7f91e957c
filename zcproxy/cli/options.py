"""Options that several commands share, each with the range of its values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

import typer

from zcproxy.names.plugins import load_plugin
from zcproxy.names.teachers import load_teacher
from zcproxy.user_code.chosen_teacher import chosen_teacher
from zcproxy.user_code.permission import permit
from zcproxy.user_code.references import check_reference

MOST_WORKERS = 256
LARGEST_SEED = 2**32 - 1
MOST_NETWORKS = 10_000_000
LARGEST_COUNT = 10**9
LARGEST_BATCH = 65_536
MOST_NODES = 10_000
MOST_EPOCHS = 100_000


def _permitted(references: Sequence[str] | None) -> Sequence[str] | None:
    """Permit references while the command's arguments are read: before anything looks at a stored file."""
    for reference in references or ():
        check_reference(reference)
    permit(references or ())
    return references


def _loaded(references: Sequence[str] | None) -> Sequence[str] | None:
    """Load plugins while the command's arguments are read: before anything looks for a word of theirs."""
    for reference in references or ():
        load_plugin(reference)
    return references


def _taught(reference: str) -> str:
    """Make the teacher while the command's arguments are read; return its reference with the digest of what it is."""
    load_teacher(reference)
    return chosen_teacher()


def folder_name(reference: str) -> str:
    """Return the name of a folder for a task, subject or file; different names give different folders."""
    return re.sub(r"[^A-Za-z0-9._@-]+", "-", reference).strip("-.")[-100:] or "run"


Workers = Annotated[int, typer.Option(min=1, max=MOST_WORKERS, help="Processes; the result does not depend on it.")]
Seed = Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of every random choice.")]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:N or mps; one process feeds a device.")]
Initialisation = Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Index of the random initialisation.")]
SettingsOption = Annotated[
    str,
    typer.Option(
        help="common; authors: published proxies with the formula, batch size and initialisation of their authors; "
        "fast: in float32."
    ),
]
AllowCode = Annotated[
    list[str] | None,
    typer.Option(
        metavar="MODULE:NAME",
        help="Code of your own that a folder or run may name; nothing else that its files name is executed.",
        callback=_permitted,
    ),
]
Teacher = Annotated[
    str,
    typer.Option(
        "--teacher",
        metavar="MODULE:FACTORY",
        help="A second network, trained or not, that formulas may read beside those they score: diswot takes one.",
        callback=_taught,
    ),
]
Plugin = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE.py",
        help="File of your own with primitives and probes, or the name of an installed plugin; may be given again.",
        callback=_loaded,
        is_eager=True,
    ),
]
