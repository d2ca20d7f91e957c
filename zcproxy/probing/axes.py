"""Roles of the axes of the tensors in a matrix product: channels and positions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

SPREAD = "spread "
"""Prefix of the label of an axis of size 1 that stands for every place of another tensor's axis."""


@dataclass(frozen=True)
class Arrangement:
    """An order of the axes of a tensor, the last ones of which become one.

    Attributes:
        order: the axes in their new order.
        rows: how many of the first axes become one; None leaves them as they are.
        columns: how many of the last axes become one; 0 adds one of size 1.
    """

    order: tuple[int, ...]
    columns: int
    rows: int | None = None

    def __call__(self, tensor: Tensor) -> Tensor:
        """Return the tensor so arranged. Axes in front of those it was made for stay where they are."""
        front = tensor.dim() - len(self.order)
        moved = tensor.permute(*range(front), *(front + axis for axis in self.order))
        shape = list(moved.shape)
        head, tail = shape[: len(shape) - self.columns], shape[len(shape) - self.columns :]
        if self.rows is not None:
            head = [*head[:front], math.prod(head[front:])]
        return moved.reshape(*head, math.prod(tail))

    @property
    def is_plain(self) -> bool:
        """Whether it leaves a tensor as it is."""
        dimensions = len(self.order)
        return self.order == tuple(range(dimensions)) and self.columns == 1 and self.rows in (None, 1)


@dataclass(frozen=True)
class ProductAxes:
    """The arrangements of a product of data with a weight.

    Attributes:
        data: to positions x input channels.
        weight: to output channels x inputs of one output.
        output: to positions x output channels.
        groups: how many parts of the channels have weights of their own.
    """

    data: Arrangement
    weight: Arrangement
    output: Arrangement
    groups: int


def product_axes(
    data: Sequence[str], weight: Sequence[str], output: Sequence[str], sizes: Sequence[int]
) -> ProductAxes | None:
    """Return the arrangements of a product whose axes have labels, as in `einsum`; those of spread axes are `SPREAD`.

    Args:
        data: labels of the axes of the data.
        weight: labels of the axes of the weight.
        output: labels of the axes of the result.
        sizes: sizes of the axes of the weight.

    Returns:
        None if it is not a linear map of channels: a label is repeated or added up without its like, or nothing is.
    """
    spread = [label for label in (*data, *weight) if label.startswith(SPREAD)]
    contracted = [label for label in weight if label in data and label not in output]
    groups = [label for label in weight if label in data and label in output]
    units = [label for label in weight if label not in data and (label in output or label in spread)]
    positions = [label for label in data if label not in weight and (label in output or label in spread)]
    regular = all(len(set(labels)) == len(labels) for labels in (data, weight, output))
    complete = len(contracted) + len(groups) + len(units) == len(weight)
    if not contracted or not regular or not complete or len(positions) + len(groups) + len(contracted) != len(data):
        return None
    seen = [label for label in units if label in output]
    places = [label for label in output if label not in weight]
    return ProductAxes(
        Arrangement(_places(data, [*positions, *groups, *contracted]), len(groups) + len(contracted)),
        Arrangement(_places(weight, [*groups, *units, *contracted]), len(contracted), len(groups) + len(units)),
        Arrangement(_places(output, [*places, *groups, *seen]), len(groups) + len(seen)),
        math.prod(size for label, size in zip(weight, sizes, strict=True) if label in groups),
    )


def _places(labels: Sequence[str], order: Sequence[str]) -> tuple[int, ...]:
    return tuple(labels.index(label) for label in order)


def matmul_labels(left: Tensor, right: Tensor, *, weight_is_left: bool) -> tuple[list[str], list[str], list[str]]:
    """Return the labels of the axes of both operands of `torch.matmul` and of its result."""
    batch = max(left.dim(), right.dim(), 2) - 2
    names = [f"batch {index}" for index in range(batch)]
    weight, data = (left, right) if weight_is_left else (right, left)
    of_weight = [
        SPREAD + name if weight.shape[axis] == 1 else name for axis, name in enumerate(names[batch - _batch(weight) :])
    ]
    grouped = dict(zip(names[batch - _batch(weight) :], weight.shape, strict=False))
    of_data = [
        SPREAD + name + " of data" if data.shape[axis] == 1 and grouped.get(name, 1) > 1 else name
        for axis, name in enumerate(names[batch - _batch(data) :])
    ]
    of_left, of_right = (of_weight, of_data) if weight_is_left else (of_data, of_weight)
    return (
        [*of_left, *(["row", "inner"] if left.dim() > 1 else ["inner"])],
        [*of_right, *(["inner", "column"] if right.dim() > 1 else ["inner"])],
        [*names, *(["row"] if left.dim() > 1 else []), *(["column"] if right.dim() > 1 else [])],
    )


def _batch(tensor: Tensor) -> int:
    return max(tensor.dim() - 2, 0)


def einsum_labels(equation: str, operands: Sequence[Tensor]) -> list[list[str]] | None:
    """Return the labels of the axes of two operands of `torch.einsum` and of its result; None for other numbers."""
    terms, arrow, result = equation.replace(" ", "").partition("->")
    inputs = terms.split(",")
    if len(inputs) != 2 or len(operands) != 2:
        return None
    labels = []
    longest = 0
    for term, operand in zip(inputs, operands, strict=True):
        hidden = operand.dim() - len(term.replace("...", ""))
        longest = max(longest, hidden)
        head, dots, tail = term.partition("...")
        labels.append([*head, *(f"batch {hidden - place}" for place in range(hidden)), *tail] if dots else [*term])
    spread = [f"batch {longest - place}" for place in range(longest)]
    if arrow:
        head, dots, tail = result.partition("...")
        labels.append([*head, *(spread if dots else []), *tail])
    else:
        letters = "".join(inputs).replace(".", "")
        labels.append([*spread, *sorted(letter for letter in set(letters) if letters.count(letter) == 1)])
    return labels
