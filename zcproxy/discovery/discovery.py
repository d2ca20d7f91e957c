"""The result of `zcproxy.discover`: a proxy, what it was chosen among, and what is to be expected of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zcproxy.adapting.expectation import Expectation
from zcproxy.contracts.own_task import OwnTask
from zcproxy.discovery.choice import Choice
from zcproxy.evolve.results import Result
from zcproxy.figures.axes import axes_or_new, finish, label
from zcproxy.figures.style import BLUE, GREY, ORANGE
from zcproxy.notebook.shown import Shown
from zcproxy.proxy.proxy import Proxy

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, repr=False)
class Discovery(Shown):
    """A proxy for networks with few labels.

    Attributes:
        proxy: the formula that was chosen, callable on any network.
        task: name of the task: tables and scores take it.
        labels: networks with a label.
        choice: what was chosen among, by networks left out, and what to expect.
        result: all formulas that evolved, of the run on all labels.
        path: the run directory; `discovered.json` in it is the proxy.
        left_out: why networks take no part, by name.
        contenders: what was chosen among, see `to_frame`.
        networks: the task itself where `discover` made it: its name stands for it in this process as long as this is
            kept; copies in other processes are without.
    """

    proxy: Proxy
    task: str
    labels: int
    choice: Choice
    result: Result
    path: Path
    left_out: Mapping[str, str] = field(default_factory=dict)
    contenders: tuple[Mapping[str, Any], ...] = ()
    networks: OwnTask | None = field(default=None, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "networks": None}

    def to_frame(self) -> pd.DataFrame:
        """Return what was chosen among, a row per contender, smallest first.

        `training_tau` is on all labels, `validation_tau` on the networks that the splits left out, `cost` in passes
        over a minibatch; `chosen` is true in one row.
        """
        return pd.DataFrame(list(self.contenders)).sort_values("size", kind="stable", ignore_index=True)

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw tau of what was chosen among, on all labels and on networks left out, and the tau to expect.

        Args:
            axes: of matplotlib, to draw into; None for those of a new figure.

        Raises:
            ConfigurationError: matplotlib is not installed.
        """
        drawn, frame = axes_or_new(axes), self.to_frame()
        places = range(len(frame))
        drawn.plot(frame["training_tau"], places, "o", color=GREY, label="on all labels")
        drawn.plot(frame["validation_tau"], places, "o", color=BLUE, label="on networks left out")
        (chosen,) = np.flatnonzero(frame["chosen"])
        sides = [[self.expected.tau - self.expected.low], [self.expected.high - self.expected.tau]]
        drawn.errorbar(
            self.expected.tau,
            chosen,
            xerr=sides,
            fmt="D",
            color=ORANGE,
            capsize=3,
            label="chosen: to be expected, 95 %",
        )
        drawn.set_yticks(places, [label(name) for name in frame["contender"]])
        drawn.legend(frameon=False)
        return finish(drawn, title=f"{self.task}: {self.labels} labels", across="Kendall's tau")

    @property
    def expected(self) -> Expectation:
        """Kendall's tau to expect on networks without labels, with its 95 % interval."""
        return self.choice.expected

    @property
    def warning(self) -> str:
        """What so many labels can tell, in plain words."""
        half = (self.expected.high - self.expected.low) / 2
        return (
            f"{self.labels} labels say tau to about ± {half:.2f}, and cannot tell formulas apart that differ by less; "
            "four times as many would halve that"
        )

    def __str__(self) -> str:
        return self.headline

    @property
    def headline(self) -> str:
        """What was chosen, the tau to expect, and what so many labels can tell."""
        general, expected = self.choice.general, self.expected
        lines = [
            f"chosen by {self.labels} labels: {self.choice.name}",
            str(self.proxy.formula),
            f"tau to expect on networks without labels: {expected}, cross-validated with the choice",
            f"of {next(iter(self.choice.taus))} unchanged: {general}",
            self.warning,
        ]
        return "\n".join(lines)
