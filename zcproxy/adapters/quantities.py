"""Quantities of architectures in objects of other tools, which pickle them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zcproxy.search.measuring import Measured, Quantities
from zcproxy.search.quantities.networks import NetworkMeasurer, Setting
from zcproxy.search.quantities.sources import sources_of


class StoredQuantities(Quantities):
    """Quantities that can be pickled: a pickle holds what was measured, and the rest is rebuilt."""

    def __init__(self, setting: Setting, names: Sequence[str], table: Path | None) -> None:
        self._made_from = setting, tuple(names), table
        measurer = NetworkMeasurer(setting.subject(), setting)
        super().__init__(sources_of(names, measurer, table, None, None), _keep_no_notes)

    def __getstate__(self) -> dict[str, Any]:
        return {"made_from": self._made_from, "known": self.known, "seconds": self.seconds, "measuring": self.measuring}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(*state.pop("made_from"))  # type: ignore[misc]
        vars(self).update(state)


def _keep_no_notes(measured: Sequence[Measured]) -> None:
    """Stand in for a journal."""
