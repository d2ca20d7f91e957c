"""Families of tasks: what names stand for, and what may be held out."""

from __future__ import annotations

from pathlib import Path

import pytest

from zcproxy.errors import BenchmarkError, ConfigurationError
from zcproxy.names.families import (
    EMBEDDED,
    check_apart,
    check_not_set_aside,
    embedded_families,
    families,
    families_named,
    labelled_families,
    set_aside,
    tasks_by_goal,
)
from zcproxy.names.tasks import get_task, task_names

EMBEDDED_FAMILIES = ["digits201", "digits-cells", "digits-mobile", "digits-stages", "digits-vit"]


def test_every_family_has_tasks_of_spaces_of_its_own() -> None:
    known = task_names()
    spaces = {family: {get_task(name).space.name for name in tasks} for family, tasks in families().items()}
    for family, tasks in families().items():
        assert set(tasks) <= set(known)
        shared = {other for other in spaces if other != family and spaces[family] & spaces[other]}
        assert shared == {"nasbench201": {"digits201"}, "digits201": {"nasbench201"}}.get(family, set())


def test_a_benchmark_stands_for_its_families_that_are_not_set_aside() -> None:
    goals = tasks_by_goal(["nds", "digits201"])
    assert set(goals.values()) == {"nds-cells", "nds-resnext", "nds-resnet", "digits201"}
    assert tasks_by_goal(["nds-vanilla"]) == {"nds/vanilla-lr-wd-imagenet": "nds-vanilla"}
    assert tasks_by_goal(["nasbench101"]) == {"nasbench101/cifar10": "nasbench101"}
    assert goals["nds/darts-imagenet"] == "nds-cells"


def test_embedded_stands_for_all_families_whose_labels_are_in_the_package() -> None:
    assert families_named([EMBEDDED]) == EMBEDDED_FAMILIES
    assert tasks_by_goal([EMBEDDED, "nds-resnext"]) == {
        **{family: family for family in EMBEDDED_FAMILIES},
        "nds/resnext-a-imagenet": "nds-resnext",
        "nds/resnext-b-imagenet": "nds-resnext",
    }


def test_families_named_twice_count_once() -> None:
    found = families_named(["nds-cells", "nds", "digits201"])
    assert sorted(found) == ["digits201", "nds-cells", "nds-resnet", "nds-resnext"]


@pytest.mark.parametrize("name", ["nds/darts-imagenet", "hat", "embeded", ""])
def test_names_that_stand_for_no_family(name: str) -> None:
    with pytest.raises(ConfigurationError, match="write one of embedded, digits201") as caught:
        families_named(["digits201", name])
    assert f"unknown family '{name}'" in str(caught.value) and "\n" not in str(caught.value)


def test_tasks_are_goals_of_their_own() -> None:
    names = ["nasbench201/cifar10", "nasbench201/cifar100"]
    assert tasks_by_goal(names) == {name: name for name in names}


def test_names_that_make_no_sense() -> None:
    with pytest.raises(ConfigurationError, match=r"'nds/darts-imagenet' is named twice"):
        tasks_by_goal(["nds-cells", "nds/darts-imagenet"])
    with pytest.raises(BenchmarkError, match="unknown task 'nds-cell'"):
        tasks_by_goal(["nds-cell"])


def test_networks_that_a_training_task_has_cannot_be_held_out() -> None:
    with pytest.raises(
        ConfigurationError, match=r"held-out task digits201 has the same networks as .* nasbench201/cifar"
    ):
        check_apart(["digits201"], ["nds/darts-imagenet", "nasbench201/cifar10"])
    check_apart(["nasbench201/cifar10", "digits201"], ["nds/darts-imagenet"])


def test_families_without_labels_are_not_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ZCPROXY_DATA", str(tmp_path))
    assert labelled_families() == embedded_families() == EMBEDDED_FAMILIES


def test_families_whose_tables_are_all_here_are_taken(made_data: Path) -> None:
    assert set(labelled_families()) == set(families()) - {"nasbench101", "nds-vanilla"}


@pytest.mark.parametrize(
    ("task", "family"),
    [
        ("nasbench101/cifar10", "nasbench101"),
        ("nds/vanilla-lr-wd-imagenet", "nds-vanilla"),
        ("nds/vanilla-lr-wd-imagenet@96", "nds-vanilla"),
        ("nds/vanilla-cifar10", "nds-vanilla"),
    ],
)
def test_networks_of_a_family_that_is_set_aside_are_refused_by_name(task: str, family: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_not_set_aside(["digits201", task], use_set_aside=False)
    assert f"{task} has the networks of the family {family}, which is set aside" in str(caught.value)
    assert "\n" not in str(caught.value)
    check_not_set_aside([task], use_set_aside=True)


def test_all_other_families_are_taken_without_a_word() -> None:
    assert set_aside() == {"nasbench101", "nds-vanilla"}
    others = [task for family, tasks in families().items() if family not in set_aside() for task in tasks]
    check_not_set_aside(others, use_set_aside=False)
