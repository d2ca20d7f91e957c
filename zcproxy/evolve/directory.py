"""The run directory: configuration, append-only journal, checkpoint and results. Killed at any moment, it resumes.

`configuration.json` and `environment.json` are written once. After every epoch one line is appended to `journal.jsonl`,
for people and plots, and `checkpoint.json` is replaced: the state that the next epoch starts from. A line that the
checkpoint does not know (the run was killed in between) is dropped on resuming.
"""

from __future__ import annotations

import json
import platform
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import deap
import numpy as np
import torch

from zcproxy.errors import RunError, first_difference
from zcproxy.evolve.configuration import Configuration, Limits
from zcproxy.files import append_line, read_json_lines, write_text

JOURNAL, CHECKPOINT, CONFIGURATION, LIMITS = "journal.jsonl", "checkpoint.json", "configuration.json", "limits.json"


@dataclass
class State:
    """Where a run stands between two epochs.

    Attributes:
        epoch: epochs done.
        generations: generations done by every island.
        evaluations: formulas scored.
        seconds: wall-clock time spent, over all parts of an interrupted run.
        islands: texts of each population.
        hall: the text of the best formula of each size.
        columns: texts of the columns in play.
        outcomes: how many evaluations ended how, by the outcome's name.
    """

    islands: list[list[str]]
    columns: list[str]
    epoch: int = 0
    generations: int = 0
    evaluations: int = 0
    seconds: float = 0.0
    hall: dict[int, str] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)


class RunDirectory:
    """Reads and writes the files of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(self, configuration: Configuration, limits: Limits) -> None:
        """Claim the directory for a new run, or accept one that holds the same configuration.

        Raises:
            RunError: the directory holds another run, or other files.
            StorageError: it cannot be written.
        """
        place = self.path / CONFIGURATION
        if place.exists():
            known = self.configuration()
            if known != configuration:
                difference = first_difference(known.as_dict(), configuration.as_dict())
                raise RunError(
                    f"{self.path} holds a run with {difference}: choose another --out, or continue it with --resume "
                    f"{self.path}"
                )
        elif self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise RunError(f"{self.path} exists and is no run directory: choose another --out")
        write_text(place, json.dumps(configuration.as_dict(), indent=2) + "\n")
        write_text(self.path / LIMITS, json.dumps(vars(limits), indent=2) + "\n")
        write_text(self.path / "environment.json", json.dumps(_environment(), indent=2) + "\n")

    def configuration(self) -> Configuration:
        """Return the configuration of the run. Raises `RunError` if there is none."""
        return Configuration.from_dict(self._read(CONFIGURATION))

    def limits(self) -> Limits:
        """Return the limits that the run was started with. Raises `RunError` if there are none."""
        return Limits(**self._read(LIMITS))

    def load_state(self) -> State | None:
        """Return the state to go on from, or None before the first epoch; drops what is newer in the journal."""
        if not (self.path / CHECKPOINT).exists():
            (self.path / JOURNAL).unlink(missing_ok=True)
            return None
        content = self._read(CHECKPOINT)
        hall = {int(size): text for size, text in content.pop("hall").items()}
        state = State(**{**content, "hall": hall, "outcomes": Counter(content["outcomes"])})
        lines = [json.dumps(line) for line in self.journal() if line["epoch"] <= state.epoch]
        write_text(self.path / JOURNAL, "".join(f"{line}\n" for line in lines))
        return state

    def save_state(self, state: State, line: dict[str, Any]) -> None:
        """Append a line to the journal, then replace the checkpoint. Raises `StorageError`."""
        append_line(self.path / JOURNAL, json.dumps({"epoch": state.epoch, **line}))
        write_text(self.path / CHECKPOINT, json.dumps(vars(state)) + "\n")

    def journal(self) -> list[dict[str, Any]]:
        """Return the lines of the journal; a torn last line is left out."""
        return read_json_lines(self.path / JOURNAL)

    def _read(self, name: str) -> dict[str, Any]:
        place = self.path / name
        try:
            content = json.loads(place.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise RunError(f"{self.path} is no run directory: it has no {name}") from error
        except (OSError, ValueError) as error:
            raise RunError(f"cannot read {place}: {error}") from error
        if not isinstance(content, dict):
            raise RunError(f"cannot read {place}: it holds no JSON object")
        return content


def _environment() -> dict[str, str]:
    from zcproxy import __version__

    return {
        "zcproxy": __version__,
        "python": sys.version.split()[0],
        "torch": torch.__version__,
        "numpy": np.__version__,
        "deap": deap.__version__,
        "platform": platform.platform(),
    }
