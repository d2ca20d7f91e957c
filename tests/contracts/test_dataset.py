"""Datasets of the user's own tensors."""

from __future__ import annotations

import pytest
import torch

from zcproxy.contracts.dataset import ImageDataset
from zcproxy.errors import BenchmarkError

INPUTS, TARGETS = torch.zeros(6, 3, 4, 4), torch.arange(6) % 3
FITTING = {
    "train_inputs": INPUTS,
    "train_targets": TARGETS,
    "test_inputs": INPUTS[:2],
    "test_targets": TARGETS[:2],
    "classes": 3,
}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"train_targets": TARGETS[:5]}, r"6 train_inputs come with train_targets of shape \(5,\): give one class per"),
        ({"test_targets": TARGETS[:2, None]}, r"2 test_inputs come with test_targets of shape \(2, 1\)"),
        ({"train_inputs": INPUTS.numpy()}, "train_inputs is ndarray, expected a tensor of samples"),
        (
            {"test_targets": TARGETS[:2].float()},
            r"test_targets \(torch.float32\) are not all int64 classes from 0 to 2",
        ),
        ({"classes": 2}, "train_targets .* are not all int64 classes from 0 to 1"),
        ({"train_targets": TARGETS - 1}, "train_targets .* are not all int64 classes"),
        ({"test_inputs": INPUTS[:2, :1]}, r"train_inputs have shape \(3, 4, 4\), test_inputs \(1, 4, 4\)"),
    ],
)
def test_tensors_that_do_not_fit_are_named(changed: dict[str, object], message: str) -> None:
    assert ImageDataset("mine", **FITTING).input_shape == (3, 4, 4)  # type: ignore[arg-type]
    with pytest.raises(BenchmarkError, match=f"mine: {message}"):
        ImageDataset("mine", **{**FITTING, **changed})  # type: ignore[arg-type]
