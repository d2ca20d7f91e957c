"""Wall-clock time of a run over all its parts."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass
class Clock:
    """Counts on from the seconds that earlier parts of the run took."""

    before: float
    started: float

    @property
    def seconds(self) -> float:
        return self.before + time.monotonic() - self.started
