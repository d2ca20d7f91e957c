"""Tensors of a second network, the teacher, beside those of the network that is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from torch import Tensor

from zcproxy.errors import ConfigurationError
from zcproxy.formula import Node
from zcproxy.probing.expressions import LayerTensors, Leaves, probes_of
from zcproxy.probing.own_loss import OwnLoss
from zcproxy.probing.probes import OF_TEACHER

Beside = Callable[[Tensor, Tensor | OwnLoss | None, frozenset[str], int], Sequence[LayerTensors]]
"""Takes inputs, targets, texts of leaves and the index of the random inputs; returns them for each layer of a teacher.

Raises `ConfigurationError` where the teacher cannot be measured on these inputs.
"""


def reads_teacher(formula: Node) -> bool:
    """Whether a formula reads a statistic of a teacher."""
    return not probes_of(formula).isdisjoint(OF_TEACHER)


def check_taught(names: Iterable[str], teacher: object) -> None:
    """Raise `ConfigurationError` if there is no teacher and something reads one.

    Args:
        names: what reads a teacher, for the message.
        teacher: empty or None where there is none.
    """
    first = next(iter(names), None)
    if first is not None and not teacher:
        raise ConfigurationError(f"{first} needs a teacher: give `teacher`, for example teacher=package.module:factory")


def beside_tensors(
    beside: Beside | None,
    inputs: Tensor,
    targets: Tensor | OwnLoss | None,
    needs: Iterable[Leaves],
    input_seed: int,
) -> Sequence[LayerTensors]:
    """Return what expressions read of the teacher, for each of its layers; nothing where they read none.

    Args:
        beside: the teacher.
        inputs: samples x ..., those of the network that is measured.
        targets: samples, or None.
        needs: for each expression, the statistics that it reads.
        input_seed: index of the random inputs.

    Raises:
        ConfigurationError: there is no teacher, or it cannot be measured on these inputs.
    """
    leaves = frozenset(leaf for each in needs for probe, names in each.items() if probe in OF_TEACHER for leaf in names)
    check_taught((f"'{leaf}'" for leaf in sorted(leaves)), beside)
    return beside(inputs, targets, leaves, input_seed) if leaves and beside is not None else ()


def aligned(tensors: Sequence[LayerTensors], layers: int) -> list[Mapping[str, Tensor]]:
    """Return for each of `layers` layers the tensors of the teacher's layer at the same relative depth.

    The first layer goes with the first, the last with the last; a single one with the last.
    """
    last = len(tensors) - 1
    places = [round(index * last / (layers - 1)) for index in range(layers)] if layers > 1 else [last] * layers
    return [tensors[place] for place in places]
