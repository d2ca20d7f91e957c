"""The directory of a search: its configuration, a journal of measurements, and results. A killed search resumes.

`journal.jsonl` has one line per architecture and measurement, written as soon as it is known. A resumed search starts
again and is given what the journal holds: the same seed then asks the same questions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from zcproxy.errors import ConfigurationError, RunError
from zcproxy.formula.language import FIELD, LANGUAGE, taken_from
from zcproxy.formula.text import updated
from zcproxy.names.plugins import load_recorded
from zcproxy.search.configuration import SearchConfiguration
from zcproxy.search.measuring import Measured
from zcproxy.storage.claimed_folder import ClaimedFolder
from zcproxy.storage.fields import read_fields
from zcproxy.storage.records import read_record_file, write_record_file

CONFIGURATION, JOURNAL = "search.json", "journal.jsonl"
EVALUATIONS, FRONT, FIGURE = "evaluations.parquet", "front.csv", "search.png"
RESULTS = "results.json"


class SearchDirectory(ClaimedFolder[SearchConfiguration]):
    """Reads and writes the files of one search."""

    what, file, journal_file = "search", CONFIGURATION, JOURNAL

    @contextmanager
    def claim(self, configuration: SearchConfiguration, options: str = "") -> Iterator[None]:
        """Hold the directory for a search, so that no other process works in it: see `create`."""
        with self.claimed():
            self.create(configuration, options)
            yield

    def create(self, configuration: SearchConfiguration, options: str = "") -> None:
        """Take the directory for a search, or accept one of the same configuration, up to the number of evaluations.

        Args:
            configuration: of the search.
            options: what `run.toml` is to hold; nothing for no such file.

        Raises:
            RunError: the directory holds another search, or other files.
            StorageError: it cannot be written.
        """
        known = self.held()
        if known is not None:
            self.check_same(_flat(known.with_evaluations(configuration.evaluations)), _flat(configuration))
        self.write_options(options)
        write_record_file(self.path / CONFIGURATION, {**configuration.as_dict(), FIELD: LANGUAGE})

    def configuration(self) -> SearchConfiguration:
        """Return the configuration of the search. Raises `RunError` if there is none."""
        place = self.path / CONFIGURATION
        try:
            content = read_record_file(place)
        except FileNotFoundError as error:
            raise RunError(
                f"{self.path} holds no search: it has no {CONFIGURATION}; out={self.path} begins one there"
            ) from error
        language = taken_from(content, str(place), ConfigurationError)
        recorded = read_fields(_Recorded, content, str(place), others=True)
        load_recorded(recorded.setting.plugins, place)
        known = SearchConfiguration.from_dict(content, str(place))
        setting = known.setting
        formula = updated(setting.formula, language) if setting.formula else ""
        proxies = tuple(each.of_language(language) for each in setting.proxies)
        return replace(known, setting=replace(setting, formula=formula, proxies=proxies))

    def measured(self) -> list[Measured]:
        """Return architectures, what was measured of them, and the seconds it took, without what is damaged."""
        return self._journal.read(_measured)

    def mend(self) -> list[Measured]:
        """Return what `measured` does, and drop the rest from the journal: what is appended then begins a line."""
        return self._journal.mend(_measured)

    def note(self, measurements: Iterable[Measured]) -> None:
        """Append what was measured of some architectures. Raises `StorageError`."""
        self._journal.append(
            {"arch": architecture, "values": row, "seconds": seconds} for architecture, row, seconds in measurements
        )


@dataclass(frozen=True)
class _Plugins:
    plugins: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Recorded:
    setting: _Plugins = _Plugins()


@dataclass(frozen=True)
class _Line:
    arch: str
    values: dict[str, float]
    seconds: float


def _measured(content: dict[str, Any]) -> Measured:
    line = read_fields(_Line, content, JOURNAL, RunError, finite=False)
    return line.arch, line.values, line.seconds


def _flat(configuration: SearchConfiguration) -> dict[str, object]:
    content = configuration.as_dict()
    return {**content.pop("setting"), **content}
