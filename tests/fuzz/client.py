"""The client of `fuzz.server`, and the folders that commands run in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from fuzz.outcome import PromiseError
from fuzz.server import Finished, Request

MARKER = "EXECUTED"
"""Every attack that would run code makes a file of this name."""


class Server:
    """Starts `python -m fuzz.server` and sends it requests."""

    def __init__(self, scratch: Path) -> None:
        environment = {
            **os.environ,
            "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
            "OMP_NUM_THREADS": "1",
            "COLUMNS": "200",
            "HOME": str(scratch),
            "TMPDIR": str(scratch),
            "MPLCONFIGDIR": str(scratch / "matplotlib"),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "fuzz.server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=scratch,
            env=environment,
            text=True,
            start_new_session=True,
        )
        if self._answer() != "ready":
            raise RuntimeError("the server did not start: see above")

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.terminate()
        self._process.wait()
        self._process.stdout.close()

    def run(self, request: Request) -> Finished:
        """Run a command and return how it ended."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asdict(request)) + "\n")
        self._process.stdin.flush()
        return Finished(**json.loads(self._answer()))

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the server ended: see above")
        return line.strip()


@dataclass(frozen=True)
class Room:
    """A folder for one try: a working folder, and a home, a cache, a data directory of its own beside it."""

    root: Path

    PARTS = ("work", "home", "cache", "data", "tmp")

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.root / "home"),
            "TMPDIR": str(self.root / "tmp"),
            "XDG_CACHE_HOME": str(self.root / "home"),
            "ZCPROXY_CACHE": str(self.cache),
            "ZCPROXY_DATA": str(self.data),
        }

    def make(self) -> Room:
        """Make the folders; what an earlier try left is deleted."""
        self.delete()
        for part in self.PARTS:
            (self.root / part).mkdir(parents=True)
        return self

    def delete(self) -> None:
        """Delete everything."""
        shutil.rmtree(self.root, ignore_errors=True)

    def request(self, arguments: Sequence[str], **settings: object) -> Request:
        """Return a request of a command that runs in this room."""
        outputs = {"stdout": str(self.root / "stdout"), "stderr": str(self.root / "stderr")}
        environment = {**self.environment, **settings.pop("environment", {})}  # type: ignore[dict-item]
        return Request([*arguments], str(self.work), **outputs, environment=environment, **settings)  # type: ignore[arg-type]

    def check(self) -> None:
        """Raise `PromiseError` if code was run, or a file lies outside of the parts."""
        unexpected = {path.name for path in self.root.iterdir()} - {*self.PARTS, "stdout", "stderr"}
        if unexpected:
            raise PromiseError(f"file outside of the folder: {sorted(unexpected)}")
        for folder, _, names in os.walk(self.root):
            if MARKER in names:
                raise PromiseError(f"code was executed: {Path(folder, MARKER).relative_to(self.root)}")
