"""Models of several inputs as models of one tensor."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import zcproxy
from zcproxy.contracts.own_inputs import OneInput, Wrapping, inputs_of, one_input
from zcproxy.errors import BenchmarkError, ModelError
from zcproxy.models.content import content_of
from zcproxy.primitives import parse


class TwoInputs(nn.Module):
    """An image and some numbers; a mask, which is the same for all, and an option."""

    def __init__(self, *, uses_numbers: bool = True) -> None:
        super().__init__()
        self.uses_numbers = uses_numbers
        self.image = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 8))
        self.numbers = nn.Linear(5, 8)
        self.head = nn.Linear(8, 3)

    def forward(self, image: Tensor, numbers: Tensor, mask: Tensor, *, scale: float = 1.0) -> Tensor:
        assert mask.dtype == torch.bool and mask.shape == (len(image), 5)
        hidden = self.image(image)
        if self.uses_numbers:
            hidden = hidden + self.numbers(numbers * mask)
        found: Tensor = self.head(hidden.relu()) * scale
        return found


def batch_of(samples: int = 6) -> dict[str, Any]:
    random = torch.Generator().manual_seed(0)
    mask = torch.tensor([True, True, False, True, True]).expand(samples, 5)
    return {
        "image": torch.randn(samples, 1, 6, 6, generator=random),
        "numbers": torch.randn(samples, 5, generator=random, dtype=torch.float64).numpy(),
        "mask": mask,
        "scale": 2.0,
    }


def test_the_packed_tensor_gives_what_the_arguments_give() -> None:
    model, batch = TwoInputs(), batch_of()
    wrapped, packed = one_input(model, batch)
    assert packed.shape == (6, 41) and packed.dtype == torch.float32
    numbers = torch.as_tensor(batch["numbers"]).float()
    expected = model(batch["image"], numbers, batch["mask"], scale=2.0)
    assert torch.equal(wrapped(packed), expected)
    for part in (slice(0, 1), slice(2, 5)):
        assert torch.allclose(wrapped(packed[part]), expected[part], atol=1e-6)


def test_a_tuple_is_positional_and_one_number_per_sample_stays_one() -> None:
    class Sum(nn.Module):
        def forward(self, first: Tensor, second: Tensor, third: None) -> Tensor:
            assert first.shape == (4, 2) and second.shape == (4,) and third is None
            return first + second[:, None]

    first, second = torch.randn(4, 2), torch.randn(4)
    model, packed = one_input(Sum(), (first, second, None))
    assert torch.equal(model(packed), first + second[:, None])


def test_a_branch_that_is_not_used_changes_no_column_of_the_others() -> None:
    """The independent check: the same layers, called with the image alone."""

    class ImageAlone(nn.Module):
        def __init__(self, model: TwoInputs) -> None:
            super().__init__()
            self.model = model

        def forward(self, image: Tensor) -> Tensor:
            found: Tensor = self.model.head(self.model.image(image).relu())
            return found

    torch.manual_seed(0)
    model = TwoInputs(uses_numbers=False)
    batch = batch_of(8) | {"scale": 1.0}
    wrapped, packed = one_input(model, batch)
    for name in ("sum(l1_norm(grad(weight)@ones))", "sum(frobenius_norm(output@data))", "sum(log(macs))"):
        proxy = zcproxy.Proxy(parse(name))
        classes = torch.arange(8) % 3
        assert proxy(wrapped, packed, classes) == pytest.approx(proxy(ImageAlone(model), batch["image"], classes))


def test_a_builder_and_its_content_follow_the_inputs() -> None:
    inputs = inputs_of(batch_of())
    built = Wrapping(TwoInputs, inputs)
    assert isinstance(built(), OneInput)
    assert content_of(built) == content_of(Wrapping(TwoInputs, inputs_of(batch_of())))
    for changed in ({"scale": 3.0}, {"mask": torch.ones(6, 5, dtype=torch.bool)}, {"image": torch.randn(6, 1, 4, 9)}):
        assert content_of(Wrapping(TwoInputs, inputs_of(batch_of() | changed))) != content_of(built)
    with pytest.raises(ModelError, match="a list is built"):
        Wrapping(list, inputs)()


IDS = torch.tensor([[1, 2, 3], [4, 5, 6]])


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ({"ids": IDS, "x": torch.randn(2, 3)}, "`batch['ids']` is int64 and differs between samples: probes replace"),
        (IDS, "`batch` is int64 and differs between samples"),
        ((IDS[:1], torch.randn(1, 3)), "`batch[0]` is int64: give two samples or more"),
        ((IDS[[0, 0]],), "holds no tensor of floats, which is what probes replace: wrap models of token ids"),
        ((torch.randn(2, 3), torch.randn(3, 3)), "`batch[1]` has 3 samples, others have 2"),
        ((torch.randn(2, 3), torch.tensor(1.0)), "`batch[1]` has no samples, others have 2"),
        ((torch.randn(0, 3),), "`batch[0]` holds no sample"),
        ((torch.randn(2, 3), object()), "`batch` has a object: give tensors"),
        ((None, 3), "`batch` holds no tensor"),
        ((), "`batch` holds no tensor"),
        ({"not a name": torch.randn(2, 3)}, "`batch` has the key 'not a name': keys are names of arguments"),
        ("text", "`batch` is a str: give what a model is called with"),
        (7, "`batch` is a int: give what a model is called with"),
        ((torch.randn(2, 3, dtype=torch.complex64),), "is complex64 and differs between samples"),
    ],
)
def test_what_probes_cannot_replace_is_refused_in_one_line(batch: Any, message: str) -> None:
    with pytest.raises(BenchmarkError, match=re.escape(message)) as refused:
        inputs_of(batch)
    assert "\n" not in str(refused.value)


def test_dictionaries_of_other_classes_are_read_too() -> None:
    class Encoding(Mapping[str, Any]):
        def __init__(self, values: dict[str, Any]) -> None:
            self.values_of = values

        def __getitem__(self, key: str) -> Any:
            return self.values_of[key]

        def __iter__(self) -> Any:
            return iter(self.values_of)

        def __len__(self) -> int:
            return len(self.values_of)

    assert np.array_equal(inputs_of(Encoding(batch_of())).pack(batch_of()), inputs_of(batch_of()).pack(batch_of()))
