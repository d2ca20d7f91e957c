"""The plan of a table: which networks of a task, and how they are measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zcproxy.contracts.sampling import Sampling


@dataclass(frozen=True)
class Plan:
    """The networks of a table, and how they are measured.

    Attributes:
        networks: how many are drawn of each task; None for 1,000, or all if there are fewer.
        population: `all` or `pruned`.
        sampling: `uniform`, or `stratified` by FLOPs.
        seed: seed of the draw and of the resamples.
        initialisations: how many random initialisations every network is measured with.
        batch_size: samples of a minibatch for all proxies; None for what each asks for.
        resamples: resamples of the bootstrap.
        device: `cpu` or `cuda`.
        unseen_by: run directories; networks that a run has seen, and their equivalents, are left out.
        images: token of the user's images, see `zcproxy.images.own`; empty for what is at hand.
    """

    networks: int | None = None
    population: str = "all"
    sampling: str = Sampling.UNIFORM
    seed: int = 0
    initialisations: int = 1
    batch_size: int | None = None
    resamples: int = 1000
    device: str = "cpu"
    unseen_by: tuple[Path, ...] = ()
    images: str = ""
