"""Scores of networks beside their labels: what `zcproxy.score` returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zcproxy.correlation import Correlation, correlate, kendall_tau
from zcproxy.errors import check_known
from zcproxy.figures.axes import axes_or_new
from zcproxy.images.image_sets import ImageSet
from zcproxy.notebook.shown import Shown
from zcproxy.probing.coverage import Coverage
from zcproxy.ranking.drawing import draw_ranks
from zcproxy.text.visible import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, repr=False)
class Scores(Shown):
    """Scores of networks beside their labels.

    Attributes:
        task: name of the task.
        population: which networks these are.
        architectures: their texts.
        scores: for each scorer, by name, one number per network, NaN where it is undefined.
        labels: their accuracies in percent.
        seconds: what measuring each network took now; 0 for those whose columns were known.
        images: what the networks were shown; None where no scorer looks at images.
        coverage: for each network, the part that its layers hold; empty where no column was needed.
        remarks: sentences on networks that have no score: a function or file of the user, or the device, gave none.
    """

    task: str
    population: str
    architectures: tuple[str, ...]
    scores: Mapping[str, NDArray[np.float64]]
    labels: NDArray[np.float64]
    seconds: NDArray[np.float64]
    images: ImageSet | None = None
    coverage: tuple[Coverage, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        """Which proxies scored which networks."""
        names = shortened(", ".join(self.scores), 120)
        return f"scores of {names} on {self.task}: {self.population}"

    def to_frame(self) -> pd.DataFrame:
        """Return a row per network: `arch`, the accuracy in per cent as `label`, each scorer by name, `seconds`."""
        return pd.DataFrame({"arch": self.architectures, "label": self.labels, **self.scores, "seconds": self.seconds})

    def plot(self, axes: Axes | None = None, *, name: str = "") -> Axes:
        """Draw the networks as points: rank by score against accuracy.

        Args:
            axes: of matplotlib, to draw into; None for those of a new figure.
            name: of the scorer; the first if empty.

        Raises:
            ConfigurationError: there is no such scorer, or matplotlib is not installed.
        """
        name = name or next(iter(self.scores))
        check_known("proxy", name, self.scores)
        tau = kendall_tau(self.scores[name], self.labels)
        title = f"{name} on {self.task}: {self.population}, tau {tau:.3f}"
        return draw_ranks(axes_or_new(axes), self.scores[name], self.labels, title)

    def correlation(self, values: NDArray[np.float64], *, seed: int = 0) -> Correlation:
        """Return how well one number per network ranks these networks; `seed` of the bootstrap."""
        return correlate(values, self.labels, task=self.task, population=self.population, seed=seed)

    def correlations(self, *, seed: int = 0) -> dict[str, Correlation]:
        """Return how well each scorer ranks these networks, by name; `seed` of the bootstrap."""
        return {name: self.correlation(values, seed=seed) for name, values in self.scores.items()}
