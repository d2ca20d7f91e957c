"""The run directory: configuration, append-only journal, checkpoint and results. A killed run resumes.

`configuration.json` and `environment.json` are written once. After every epoch one line is appended to `journal.jsonl`,
for readers and plots, and `checkpoint.json` is replaced: the state that the next epoch starts from. A line that the
checkpoint does not know (the run was killed in between) is dropped on resuming. The checkpoint before is kept too: the
run resumes from it where the last one is damaged, or ended early at a limit that has grown since.
"""

from __future__ import annotations

import os
import platform
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Any

from zcproxy.errors import ConfigurationError, FormulaError, RunError
from zcproxy.evolve.configuration import Configuration, Limits
from zcproxy.formula.language import FIELD, LANGUAGE, current_name, taken_from
from zcproxy.formula.text import updated
from zcproxy.names.plugins import load_recorded
from zcproxy.storage.claimed_folder import ClaimedFolder
from zcproxy.storage.fields import read_fields
from zcproxy.storage.files import cannot_write
from zcproxy.storage.notices import notice
from zcproxy.storage.records import read_record_file, write_record_file

JOURNAL, CHECKPOINT, CONFIGURATION, LIMITS = "journal.jsonl", "checkpoint.json", "configuration.json", "limits.json"
PREVIOUS, ENVIRONMENT = "checkpoint.previous.json", "environment.json"


@dataclass
class State:
    """The state of a run between two epochs.

    Attributes:
        epoch: epochs done.
        generations: generations done by every island.
        evaluations: formulas evaluated.
        seconds: wall-clock time spent, over all parts of an interrupted run.
        islands: texts of the formulas of each island.
        hall: the text of the best formula of each size.
        columns: texts of the columns in play.
        outcomes: number of evaluations by the name of their outcome.
    """

    islands: list[list[str]]
    columns: list[str]
    epoch: int = 0
    generations: int = 0
    evaluations: int = 0
    seconds: float = 0.0
    hall: dict[int, str] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)

    def updated(self, language: int) -> State:
        """Return the state with the texts of today, given those of an older version of the language."""
        return replace(
            self,
            islands=[[updated(text, language) for text in island] for island in self.islands],
            columns=[updated(text, language) for text in self.columns],
            hall={size: updated(text, language) for size, text in self.hall.items()},
        )


class RunDirectory(ClaimedFolder[Configuration]):
    """Reads and writes the files of one run."""

    what, file, journal_file = "run", CONFIGURATION, JOURNAL
    begun = (LIMITS, ENVIRONMENT)
    when_damaged = "only this history is lost, the result does not depend on it"

    @contextmanager
    def claim(self, configuration: Configuration, limits: Limits, options: str = "") -> Iterator[None]:
        """Hold the directory for a run, so that no other process works in it: see `create`."""
        with self.claimed():
            self.create(configuration, limits, options)
            yield

    def create(self, configuration: Configuration, limits: Limits, options: str = "") -> None:
        """Take the directory for a new run, or accept one that holds the same configuration.

        Args:
            configuration: of the run.
            limits: when it stops.
            options: what `run.toml` is to hold; nothing for no such file.

        Raises:
            RunError: the directory holds another run, or other files.
            StorageError: it cannot be written.
        """
        known = self.held()
        if known is not None:
            advice = f", or continue it (`zcproxy evolve --resume {self.path}`)"
            self.check_same(known.as_dict(), configuration.as_dict(), advice)
        self.write_options(options)
        write_record_file(self.path / LIMITS, vars(limits))
        write_record_file(self.path / ENVIRONMENT, _environment())
        write_record_file(self.path / CONFIGURATION, {**configuration.as_dict(), FIELD: LANGUAGE})

    def configuration(self) -> Configuration:
        """Return the configuration of the run. Raises `RunError` if there is none."""
        content, place = self._read(CONFIGURATION), str(self.path / CONFIGURATION)
        language = taken_from(content, place, ConfigurationError)
        load_recorded(read_fields(_Plugins, content, place, others=True).plugins, self.path / CONFIGURATION)
        known = Configuration.from_dict(content, place)
        return replace(
            known,
            start_from=tuple(updated(text, language) for text in known.start_from),
            without=tuple(current_name(name, language) for name in known.without),
        )

    def limits(self) -> Limits:
        """Return the limits that the run was started with. Raises `RunError` if there are none."""
        return read_fields(Limits, self._read(LIMITS), str(self.path / LIMITS), RunError)

    def load_state(self) -> State | None:
        """Return the state to resume from, or None before the first epoch; drops what is newer in the journal.

        Raises:
            RunError: no checkpoint can be read.
        """
        names = [name for name in (CHECKPOINT, PREVIOUS) if os.path.lexists(self.path / name)]
        if not names:
            with suppress(FileNotFoundError):
                (self.path / JOURNAL).unlink()
            return None
        try:
            state = self._state(names[0])
        except RunError as error:
            if len(names) == 1:
                raise RunError(f"{error}; or delete it: the run then starts again") from error
            notice(f"{error}; the run resumes from {PREVIOUS}")
            state = self._state(PREVIOUS)
            os.replace(self.path / PREVIOUS, self.path / CHECKPOINT)
        return self._agreed(state)

    def last_state(self) -> State | None:
        """Return the state after the last epoch, None before the first, for readers: nothing is changed.

        Raises:
            RunError: the checkpoint cannot be read.
        """
        for name in (CHECKPOINT, PREVIOUS):  # a run that goes on has the second alone while it replaces the first
            if os.path.lexists(self.path / name):
                return self._state(name)
        return None

    def forget_last(self, state: State) -> None:
        """Go back by one epoch: the next `load_state` returns the state before, or None to start again."""
        try:
            is_before = self._state(PREVIOUS).epoch == state.epoch - 1
        except RunError:
            is_before = False
        if is_before:
            os.replace(self.path / PREVIOUS, self.path / CHECKPOINT)
            return
        for name in (CHECKPOINT, PREVIOUS):
            with suppress(FileNotFoundError):
                (self.path / name).unlink()

    def save_state(self, state: State, line: dict[str, Any]) -> None:
        """Append a line to the journal, then replace the checkpoint. Raises `StorageError`."""
        self._journal.append([{"epoch": state.epoch, **line}])
        place = self.path / CHECKPOINT
        try:
            with suppress(FileNotFoundError):
                os.replace(place, self.path / PREVIOUS)
        except OSError as error:
            raise cannot_write(place, error) from error
        write_record_file(place, {**vars(state), FIELD: LANGUAGE}, indent=None)

    def journal(self) -> list[dict[str, Any]]:
        """Return the lines of the journal; damaged ones and a torn last one are left out."""
        return self._journal.read(_epoch_line)

    def _state(self, name: str) -> State:
        content, place = self._read(name), str(self.path / name)
        language = taken_from(content, place, RunError)
        state = read_fields(State, content, place, RunError)
        try:
            return state.updated(language)
        except FormulaError as error:
            raise RunError(f"{place}: {error}") from error

    def _agreed(self, state: State) -> State:
        """Return a state after dropping lines of the journal that are newer, or a second one of an epoch."""
        seen: set[int] = set()

        def keep(line: dict[str, Any]) -> bool:
            is_new = line["epoch"] <= state.epoch and line["epoch"] not in seen
            seen.add(line["epoch"])
            return is_new

        self._journal.mend(_epoch_line, keep)
        lost = state.epoch - len(seen.intersection(range(1, state.epoch + 1)))
        if lost:
            notice(f"{self.path / JOURNAL} lacks {lost} of {state.epoch} epochs; the result does not depend on it")
        return state

    def _read(self, name: str) -> dict[str, Any]:
        try:
            return read_record_file(self.path / name)
        except FileNotFoundError as error:
            if name != CONFIGURATION and os.path.lexists(self.path / CONFIGURATION):
                raise RunError(
                    f"{self.path} was stopped before it began, it has no {name}: run the command that started it again"
                ) from error
            raise RunError(
                f"{self.path} is not a run directory: it has no {name}; out={self.path} begins a run there"
            ) from error


@dataclass(frozen=True)
class _Plugins:
    plugins: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Epoch:
    epoch: int


def _epoch_line(line: dict[str, Any]) -> dict[str, Any]:
    """Return a line of the journal, whose epoch is a number."""
    read_fields(_Epoch, line, JOURNAL, RunError, others=True)
    return line


def _environment() -> dict[str, str]:
    from zcproxy import __version__

    return {
        "zcproxy": __version__,
        "python": sys.version.split()[0],
        **{name: version(name) for name in ("torch", "numpy", "deap")},  # DEAP leaves the last part of its own out
        "platform": platform.platform(),
    }
