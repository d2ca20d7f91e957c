"""The teacher that a user names: a network that formulas read beside those that they score."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from zcproxy.errors import ConfigurationError
from zcproxy.probing.beside import check_taught
from zcproxy.probing.teacher import Teacher, teacher_of, token_of
from zcproxy.text.visible import shortened
from zcproxy.user_code.chosen_teacher import choose_teacher, chosen_teacher, teaching
from zcproxy.user_code.permission import stored_in


def load_teacher(reference: str | None) -> Teacher | None:
    """Let formulas read a second network, the teacher, in this process and in its workers: `output@teacher`.

    Args:
        reference: `package.module:factory` of a function without arguments that returns a `torch.nn.Module`, trained or
            not, or of a module; None for no teacher.

    Returns:
        The teacher: its name, and the digest of its code and weights, under which measured columns are kept.

    Raises:
        ConfigurationError: there is no such function.
        ModelError: it fails, or returns something else.

    Example:
        >>> import zcproxy
        >>> teacher = zcproxy.load_teacher("zcproxy.benchmarks.diswot:resnet110")
        >>> len(teacher.digest)
        16
        >>> zcproxy.load_teacher(None)
    """
    if not reference:
        choose_teacher("")
        return None
    token = token_of(reference)
    choose_teacher(token)
    return teacher_of(reference)


def teacher_on(subject: object, readers: Iterable[str]) -> str:
    """Return the reference of the teacher that is read on a task or space; empty where nothing reads one.

    Args:
        subject: a task may have a teacher of its own, for where none is chosen.
        readers: what reads a teacher, in words.

    Raises:
        ConfigurationError: there is none.
    """
    found = [f"'{shortened(name, 80)}'" for name in readers]
    teacher: str = chosen_teacher() or getattr(subject, "teacher", "")
    check_taught(found, teacher)
    return teacher.partition("#")[0] if found else ""


def teacher_of_run(recorded: str, readers: Collection[str], subjects: Iterable[object], place: Path) -> str:
    """Return the teacher of a run: the one that it was made with, else the one that is chosen now; empty for none.

    Args:
        recorded: reference and digest that the run has; empty for none.
        readers: what reads a teacher in the run, in words.
        subjects: its tasks, which may have teachers of their own.
        place: the file that has the reference.

    Raises:
        ConfigurationError: one is chosen that is not read, or another one than the run's; one is read, and there is
            none; or only the file names the code, which is not permitted.
    """
    chosen = chosen_teacher()
    if chosen and not readers:
        raise ConfigurationError(
            f"nothing here reads teacher={chosen.partition('#')[0]}: add data,teacher to `probes`, choose a proxy that "
            "reads one, or leave it out"
        )
    if recorded and chosen and chosen != recorded:
        raise ConfigurationError(
            f"{place} is of a run with the teacher {recorded}, given is {chosen}: give the same one, or begin anew in "
            "another `out`"
        )
    if recorded and not chosen:
        with stored_in(place):
            teacher_of(recorded)
    with teaching(recorded or chosen):
        for subject in subjects:
            teacher_on(subject, readers)
    return recorded or chosen
