"""The directory of a search: its configuration, a journal of measurements, and results. Killed, it goes on.

`journal.jsonl` has a line an architecture and measurement, written as soon as it is known. A search that goes on begins
anew and is given what the journal holds: the same seed then asks the same questions.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from zcproxy.errors import RunError, first_difference
from zcproxy.files import append_line, read_json_lines, write_text
from zcproxy.search.configuration import SearchConfiguration
from zcproxy.search.evaluation import Measured

CONFIGURATION, JOURNAL = "search.json", "journal.jsonl"
EVALUATIONS, FRONT, FIGURE = "evaluations.parquet", "front.csv", "search.png"


class SearchDirectory:
    """Reads and writes the files of one search."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(self, configuration: SearchConfiguration) -> None:
        """Claim the directory for a search, or accept one of the same configuration, up to the number of evaluations.

        Raises:
            RunError: the directory holds another search, or other files.
            StorageError: it cannot be written.
        """
        place = self.path / CONFIGURATION
        if place.exists():
            known = self.configuration().with_evaluations(configuration.evaluations)
            if known != configuration:
                difference = first_difference(_flat(known), _flat(configuration))
                raise RunError(f"{self.path} holds a search with {difference}: choose another --out")
        elif self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise RunError(f"{self.path} exists and holds no search: choose another --out")
        write_text(place, json.dumps(configuration.as_dict(), indent=2) + "\n")

    def configuration(self) -> SearchConfiguration:
        """Return the configuration of the search. Raises `RunError` if there is none."""
        place = self.path / CONFIGURATION
        try:
            return SearchConfiguration.from_dict(json.loads(place.read_text(encoding="utf-8")))
        except FileNotFoundError as error:
            raise RunError(f"{self.path} holds no search: it has no {CONFIGURATION}") from error
        except (OSError, ValueError) as error:
            raise RunError(f"cannot read {place}: {error}") from error

    def measured(self) -> list[Measured]:
        """Return architectures, what was measured of them, and the seconds it took; a torn last line is left out."""
        return [(line["arch"], line["values"], line["seconds"]) for line in read_json_lines(self.path / JOURNAL)]

    def mend(self) -> None:
        """Drop a torn last line of the journal: what is appended then begins a line."""
        write_text(self.path / JOURNAL, "".join(map(_line, self.measured())))

    def note(self, measurements: Iterable[Measured]) -> None:
        """Append what was measured of some architectures. Raises `StorageError`."""
        append_line(self.path / JOURNAL, "".join(map(_line, measurements)).rstrip("\n"))


def _line(measured: Measured) -> str:
    architecture, row, seconds = measured
    return json.dumps({"arch": architecture, "values": row, "seconds": seconds}) + "\n"


def _flat(configuration: SearchConfiguration) -> dict[str, object]:
    content = configuration.as_dict()
    return {**content.pop("setting"), **content}
