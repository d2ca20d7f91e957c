"""One correlation as it may be published: with its population, its size, its intervals and its failures."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import ArrayLike

from zcproxy.correlation.bootstrap import bootstrap_draws, interval
from zcproxy.correlation.measures import has_top_decile, kendall_tau, spearman_rho, top_decile_tau


@dataclasses.dataclass(frozen=True)
class Correlation:
    """Correlations of scores with the labels of one task.

    Attributes:
        task: the benchmark and label, `nasbench201/cifar10`.
        population: which networks of the space: part of the meaning of every number here.
        networks: how many were ranked.
        tau: Kendall's tau-b; NaN, like every other value here, where all scores are equal.
        tau_low: lower end of its 95 % bootstrap interval over architectures.
        tau_high: upper end.
        spearman: Spearman's rho.
        spearman_low: lower end of its 95 % bootstrap interval over architectures.
        spearman_high: upper end.
        tau_top_decile: Kendall's tau-b inside the true best tenth, NaN where that is fewer than ten networks.
        undefined: how many scores were NaN; they ranked worst.
        tau_top_decile_low: lower end of its 95 % bootstrap interval over architectures.
        tau_top_decile_high: upper end.
    """

    task: str
    population: str
    networks: int
    tau: float
    tau_low: float
    tau_high: float
    spearman: float
    spearman_low: float
    spearman_high: float
    tau_top_decile: float
    undefined: int
    tau_top_decile_low: float = math.nan
    tau_top_decile_high: float = math.nan

    def as_dict(self) -> dict[str, str | int | float | None]:
        """Return the attributes by name, in order, with None for NaN: strict JSON has no NaN."""
        values: dict[str, str | int | float] = dataclasses.asdict(self)
        return {
            name: None if isinstance(value, float) and math.isnan(value) else value for name, value in values.items()
        }


def correlate(scores: ArrayLike, labels: ArrayLike, *, task: str, population: str, seed: int = 0) -> Correlation:
    """Measure how well scores rank networks by their labels.

    Args:
        scores: one number per network, higher is better, NaN ranks worst.
        labels: one finite accuracy per network.
        task: name of the benchmark and label.
        population: name of the set of networks.
        seed: seed of the bootstrap's resamples, together with the task and the population.

    Raises:
        BenchmarkError: the labels are all equal, fewer than two, not finite, or not as many as the scores.
    """
    # Both intervals use the same resamples, so that they can be compared.
    values = np.asarray(scores, dtype=np.float64)
    has_top = has_top_decile(len(values))
    names = ("tau", "spearman", *(["tau_top_decile"] if has_top else []))
    draws = bootstrap_draws([scores], labels, names, ("bootstrap", task, population, seed))
    tau_low, tau_high = interval(draws["tau"])
    spearman_low, spearman_high = interval(draws["spearman"])
    top_low, top_high = interval(draws["tau_top_decile"]) if has_top else (math.nan, math.nan)
    return Correlation(
        task=task,
        population=population,
        networks=len(values),
        tau=kendall_tau(scores, labels),
        tau_low=tau_low,
        tau_high=tau_high,
        spearman=spearman_rho(scores, labels),
        spearman_low=spearman_low,
        spearman_high=spearman_high,
        tau_top_decile=top_decile_tau(scores, labels) if has_top else math.nan,
        undefined=int(np.count_nonzero(np.isnan(values))),
        tau_top_decile_low=top_low,
        tau_top_decile_high=top_high,
    )
