"""The networks of a run: training, validation and test, which never mix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zcproxy.contracts.task import Task
from zcproxy.errors import BenchmarkError
from zcproxy.random import generator

MOST_FITTED = 400
FITTED_SHARE = 0.6
"""Labelled networks if no number is given: this share of the population, and not more than `MOST_FITTED`."""

MOST_TESTED = 200
"""Test networks if no number is given, or all that are left if they are fewer."""


@dataclass(frozen=True)
class Sample:
    """Architectures of one task by their use. No two parts share a function: equivalent cells stay together."""

    training: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    @property
    def fitted(self) -> tuple[str, ...]:
        """The labelled networks that evolution sees: training, then validation."""
        return self.training + self.validation


def draw_sample(
    task: Task,
    *,
    networks: int | None,
    test_networks: int | None,
    validation_share: float,
    population: str,
    seed: int,
) -> Sample:
    """Draw the networks of a run; the same ones for every task of a space.

    Args:
        task: where they come from.
        networks: training and validation together; None for `MOST_FITTED`, or `FITTED_SHARE` of fewer.
        test_networks: None for `MOST_TESTED`, or what is left; 0 where only other tasks are tested.
        validation_share: share of `networks`.
        population: `all` or `pruned`.
        seed: seed of the draw and the split.

    Raises:
        BenchmarkError: the population is smaller than what is asked for.
    """
    known = task.architectures(population)
    if networks is None:
        networks = min(MOST_FITTED, int(FITTED_SHARE * len(known)))
    if networks > len(known):
        raise BenchmarkError(
            f"{task.name}: {networks} networks asked for, the population '{population}' has {len(known)}"
        )
    shuffled = _shuffled(task, population, seed)
    chosen, rest = shuffled[:networks], shuffled[networks:]
    training, validation = _split(task, chosen, validation_share)
    seen = {task.space.equivalence_class(architecture) for architecture in chosen}
    unseen = [architecture for architecture in rest if task.space.equivalence_class(architecture) not in seen]
    least = 2 if test_networks is None else test_networks
    if least > len(unseen):
        raise BenchmarkError(
            f"{task.name}: {least} test networks asked for, {len(unseen)} are left that share no function with the "
            f"{networks} others"
        )
    return Sample(
        tuple(training), tuple(validation), tuple(unseen[: MOST_TESTED if test_networks is None else test_networks])
    )


def draw_held_out(task: Task, *, networks: int | None, population: str, seed: int) -> Sample:
    """Draw networks to test on of a task that nothing is fitted to; all of them where there are fewer."""
    return Sample((), (), tuple(_shuffled(task, population, seed)[: networks or MOST_TESTED]))


def _shuffled(task: Task, population: str, seed: int) -> list[str]:
    known = list(task.architectures(population))
    generator("sample", task.space.name, population, seed).shuffle(known)
    return known


def _split(task: Task, chosen: Sequence[str], share: float) -> tuple[list[str], list[str]]:
    """Split so that equivalent architectures fall on one side; the validation side has about `share` of them."""
    groups: dict[str, list[str]] = {}
    for architecture in chosen:
        groups.setdefault(task.space.equivalence_class(architecture), []).append(architecture)
    wanted = round(share * len(chosen))
    training: list[str] = []
    validation: list[str] = []
    for members in groups.values():
        side = validation if len(validation) + len(members) <= wanted else training
        side.extend(members)
    return training, validation
