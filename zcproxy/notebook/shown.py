"""What a result shows of itself in a notebook."""

from __future__ import annotations

from abc import ABC, abstractmethod

import pandas as pd

from zcproxy.notebook.html import html_table


class Shown(ABC):
    """A result with a table: one line in a terminal, the line above the table in a notebook."""

    @property
    @abstractmethod
    def headline(self) -> str:
        """What this is, in a line or a few."""

    @abstractmethod
    def to_frame(self) -> pd.DataFrame:
        """Return the result as a table; it is a copy."""

    def __repr__(self) -> str:
        return self.headline

    def _repr_html_(self) -> str:
        return html_table(self.headline, self._shown_frame())

    def _shown_frame(self) -> pd.DataFrame:
        """Return the part of the table that a notebook shows."""
        return self.to_frame()
