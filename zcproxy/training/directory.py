"""The folder of a benchmark that is being built: the plan, and a journal of what is trained. It resumes.

`build.json` holds the configuration and the architectures. Each trained architecture appends one line to
`trainings.jsonl`. When all are there, the benchmark is written beside them: `zcproxy.training.benchmark_files`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zcproxy.errors import RunError, first_difference
from zcproxy.files import append_line, read_json_lines, write_text
from zcproxy.training.configuration import BuildConfiguration
from zcproxy.training.job import Trained

PLAN, JOURNAL = "build.json", "trainings.jsonl"


@dataclass(frozen=True)
class Plan:
    """What is to be trained.

    Attributes:
        configuration: how.
        dataset_fingerprint: hash of the images, see `ImageDataset.fingerprint`.
        architectures: which, in the order of the table.
    """

    configuration: BuildConfiguration
    dataset_fingerprint: str
    architectures: tuple[str, ...]


class BuildDirectory:
    """Reads and writes the files of one build."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load_plan(self, configuration: BuildConfiguration, dataset_fingerprint: str) -> Plan | None:
        """Return the plan that the folder holds, or None if the folder is new.

        Raises:
            RunError: the folder holds another build, one of other images, or other files.
        """
        place = self.path / PLAN
        if not place.exists():
            if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
                raise RunError(f"{self.path} exists and holds no build of a benchmark: choose another --out")
            return None
        try:
            content = json.loads(place.read_text(encoding="utf-8"))
            known = BuildConfiguration.from_dict(content["configuration"])
            plan = Plan(known, content["dataset_fingerprint"], tuple(content["architectures"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(f"cannot read {place}: {error}") from error
        if known != configuration:
            difference = first_difference(known.as_dict(), configuration.as_dict())
            raise RunError(f"{self.path} holds a build with {difference}: choose another --out")
        if plan.dataset_fingerprint != dataset_fingerprint:
            raise RunError(f"{self.path} was begun with other images of {known.dataset}: choose another --out")
        return plan

    def save_plan(self, plan: Plan) -> None:
        """Write the plan. Raises `StorageError`."""
        content: dict[str, Any] = {
            "configuration": plan.configuration.as_dict(),
            "dataset_fingerprint": plan.dataset_fingerprint,
            "architectures": list(plan.architectures),
        }
        write_text(self.path / PLAN, json.dumps(content, indent=1) + "\n")

    def trained(self) -> dict[str, Trained]:
        """Return what is trained already, by architecture; a torn last line is dropped from the file."""
        place = self.path / JOURNAL
        if not place.exists():
            return {}
        lines = read_json_lines(place)
        write_text(place, "".join(f"{json.dumps(line)}\n" for line in lines))
        return {line["arch"]: Trained.from_dict(line) for line in lines}

    def append(self, item: Trained) -> None:
        """Note one trained architecture. Raises `StorageError`."""
        append_line(self.path / JOURNAL, json.dumps(item.as_dict()))
