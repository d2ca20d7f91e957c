"""Rank correlations that papers report, as what to expect of a published proxy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ALL_CELLS = "papers that rank all 15,625 cells: AZ-NAS (CVPR 2024), ZiCo (ICLR 2023), APD"
DISTINCT_CELLS = "papers that rank the 9,445 distinct cells: VKDNW (CVPR 2025), InTrain (CVPR 2026)"
EZNAS = "Akhauri et al., EZNAS, NeurIPS 2022, and what it compares with"

Tau = float | tuple[float, float]
"""A Kendall's tau, or the lowest and the highest of several papers."""


@dataclass(frozen=True)
class Reported:
    """Kendall's tau between a proxy and measured accuracies, as published.

    Attributes:
        task: name of the task here; its networks and labels are the paper's, its batch and initialisation need not be.
        population: which of its architectures were ranked: `all` or `pruned`.
        low: tau; the lowest where papers differ.
        high: the highest.
        source: who reports it.
    """

    task: str
    population: str
    low: float
    high: float
    source: str


def reported(benchmark: str, population: str, source: str, taus: Mapping[str, Tau]) -> tuple[Reported, ...]:
    """Return what one source says of several tasks of a benchmark: tau by the name of the task in it."""
    pairs = {task: tau if isinstance(tau, tuple) else (tau, tau) for task, tau in taus.items()}
    return tuple(Reported(f"{benchmark}/{task}", population, *pair, source) for task, pair in pairs.items())


def on_cells(population: str, *taus: Tau, source: str | None = None) -> tuple[Reported, ...]:
    """Return what is reported on NAS-Bench-201: tau on CIFAR-10, CIFAR-100 and ImageNet16-120, where given."""
    default = {"all": ALL_CELLS, "pruned": DISTINCT_CELLS}[population]
    tasks = ("cifar10", "cifar100", "imagenet16-120")
    return reported("nasbench201", population, source or default, dict(zip(tasks, taus, strict=False)))


def on_nds(*taus: Tau) -> tuple[Reported, ...]:
    """Return what is reported on NDS, CIFAR-10: tau in DARTS, Amoeba, ENAS, PNAS and NASNet."""
    families = ("darts", "amoeba", "enas", "pnas", "nasnet")
    return reported("nds", "all", EZNAS, {f"{name}-cifar10": tau for name, tau in zip(families, taus, strict=True)})
