"""What formulas are fitted to where labels of other spaces foretell a part of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from zcproxy.columns.table import ColumnTable
from zcproxy.correlation import kendall_tau
from zcproxy.errors import ConfigurationError
from zcproxy.evolve import Configuration, Limits, evolve
from zcproxy.evolve.targets import transferred
from zcproxy.formula import Node
from zcproxy.primitives import parse

TASKS = ("digits201", "nats_sss/imagenet16-120", "nds/darts-imagenet")
SHARED, PECULIAR = parse("depth"), parse("total_macs")


def drawn(networks: int, seed: int, sign: float) -> tuple[ColumnTable, np.ndarray]:
    """Return networks whose labels rise with one column everywhere, and with another by the sign of their space."""
    rng = np.random.default_rng(seed)
    shared, peculiar = rng.uniform(size=(2, networks))
    values: dict[Node, np.ndarray] = {SHARED: shared, PECULIAR: peculiar}
    return ColumnTable(np.ones(networks, np.int64), values), shared + sign * peculiar


def test_what_is_peculiar_to_a_space_does_not_carry_over() -> None:
    tables, labels = zip(*(drawn(200, seed, sign) for seed, sign in enumerate((1.0, -1.0, 0.0))), strict=True)
    found = transferred(TASKS, tables, labels, TASKS)
    own = [kendall_tau(labels[0], tables[0].values[column]) for column in (SHARED, PECULIAR)]
    carried = [kendall_tau(found[0], tables[0].values[column]) for column in (SHARED, PECULIAR)]
    assert min(own) > 0.4
    assert carried[0] > 0.6
    assert carried[1] < 0.0


def test_labels_of_a_space_and_of_its_goal_change_nothing_for_itself() -> None:
    tables, labels = zip(*(drawn(60, seed, 0.3) for seed in range(4)), strict=True)
    tasks = ("nasbench201/cifar10", "digits201", "nats_sss/cifar10", "nds/darts-imagenet")
    goals = ("nasbench201", "digits201", "sizes", "cells")
    first = transferred(tasks, tables, labels, goals)
    turned = transferred(tasks, tables, [-labels[0], -labels[1], *labels[2:]], goals)
    same = [kendall_tau(after, before) for after, before in zip(turned, first, strict=True)]
    assert min(same[:2]) > 0.95
    assert max(same[2:]) < 0.9


def test_a_run_fits_what_carries_over_with_any_number_of_workers(
    small: Configuration, column_cache: Path, made_data: Path, tmp_path: Path
) -> None:
    asked = replace(small, tasks=TASKS[:2], targets="transferred", new_columns=2)
    one, two = (
        evolve(asked, Limits(generations=6), tmp_path / str(workers), workers=workers, cache=column_cache)
        for workers in (1, 2)
    )
    assert one.hall == two.hall
    fitted_to_labels = evolve(
        replace(asked, targets="labels"), Limits(generations=6), tmp_path / "labels", cache=column_cache
    )
    assert one.hall != fitted_to_labels.hall


@pytest.mark.parametrize(
    ("tasks", "goals"),
    [
        (("digits201",), ()),
        (("digits201", "nasbench201/cifar10"), ()),
        (("digits201", "nats_sss/cifar10"), ("sizes", "sizes")),
    ],
)
def test_one_family_alone_foretells_nothing(
    small: Configuration, made_data: Path, tmp_path: Path, tasks: tuple[str, ...], goals: tuple[str, ...]
) -> None:
    asked = replace(small, tasks=tasks, goals=goals, targets="transferred")
    with pytest.raises(ConfigurationError, match="transferred targets of digits201 need another family"):
        evolve(asked, Limits(generations=1), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_targets_that_do_not_exist() -> None:
    with pytest.raises(ConfigurationError, match="unknown targets 'hopes': write one of labels, transferred"):
        Configuration(TASKS, targets="hopes")
