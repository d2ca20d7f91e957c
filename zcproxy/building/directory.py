"""The folder of a benchmark that is being built: the plan, and a journal of what is trained. A killed build resumes.

`build.json` holds the configuration and the architectures. Each trained architecture appends one line to
`trainings.jsonl`. When all are there, the benchmark is written beside them: `zcproxy.building.files`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from zcproxy.building.configuration import BuildConfiguration
from zcproxy.building.job import Trained
from zcproxy.errors import RunError
from zcproxy.storage.claimed_folder import ClaimedFolder
from zcproxy.storage.fields import read_fields
from zcproxy.storage.records import read_record_file, write_record_file

PLAN, JOURNAL = "build.json", "trainings.jsonl"


@dataclass(frozen=True)
class Plan:
    """The plan of a build.

    Attributes:
        configuration: how.
        dataset_fingerprint: hash of the images, see `ImageDataset.fingerprint`.
        architectures: which, in the order of the table.
    """

    configuration: BuildConfiguration
    dataset_fingerprint: str
    architectures: tuple[str, ...]


class BuildDirectory(ClaimedFolder[Plan]):
    """Reads and writes the files of one build."""

    what, file, journal_file = "build", PLAN, JOURNAL
    when_damaged = "its architectures are trained again"

    def configuration(self) -> Plan:
        """Return the plan. Raises `RunError` if its file is damaged."""
        place = self.path / PLAN
        return read_fields(Plan, read_record_file(place), str(place), RunError)

    def load_plan(self, configuration: BuildConfiguration, dataset_fingerprint: str) -> Plan | None:
        """Return the plan that the folder holds, or None if the folder is new.

        Raises:
            RunError: the folder holds another build, one of other images, or other files.
        """
        plan = self.held()
        if plan is None:
            return None
        known = plan.configuration
        self.check_same(known.as_dict(), configuration.as_dict())
        if plan.dataset_fingerprint != dataset_fingerprint:
            raise RunError(f"{self.path} was started with other images of {known.dataset}: choose another `out`")
        return plan

    def save_plan(self, plan: Plan) -> None:
        """Write the plan. Raises `StorageError`."""
        write_record_file(self.path / PLAN, asdict(plan), indent=1)

    def trained(self, plan: Plan) -> dict[str, Trained]:
        """Return what is trained already, by architecture; what is damaged is dropped from the file."""
        wanted = frozenset(plan.architectures)

        def convert(content: dict[str, Any]) -> Trained:
            item = read_fields(Trained, content, JOURNAL, RunError, finite=False)
            is_whole = all(training.diverged or training.test_accuracy for training in item.trainings)
            if item.arch not in wanted or len(item.trainings) != plan.configuration.seeds or not is_whole:
                raise RunError(f"{item.arch} is not trained as planned")
            return item

        return {item.arch: item for item in self._journal.mend(convert)}

    def append(self, item: Trained) -> None:
        """Note one trained architecture. Raises `StorageError`."""
        self._journal.append([item.as_dict()])
