"""Models that return something else than one tensor: which tensor counts, and what is said where none does."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from zcproxy import Proxy
from zcproxy.errors import ModelError
from zcproxy.primitives import parse

SUM = Proxy(parse("sum(l1_norm(grad(weight)@noise))"))
TARGETS = torch.arange(4) % 3


@dataclass
class Fields:
    loss: Any = None
    logits: Any = None
    last_hidden_state: Any = None
    hidden_states: Any = None


Named = namedtuple("Named", ["hidden", "score"])


class Returning(nn.Module):
    """Two layers, and a function that makes the output of what they yield."""

    def __init__(self, output: Callable[[Tensor, Tensor], object]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second, self.output = nn.Linear(6, 5), nn.Linear(5, 3), output

    def forward(self, inputs: Tensor) -> object:
        hidden = torch.relu(self.first(inputs))
        return self.output(hidden, self.second(hidden))


def scored(output: Callable[[Tensor, Tensor], object], name: str = "") -> float:
    return SUM(Returning(output), torch.zeros(4, 6), output=name)


LOGITS, HIDDEN = scored(lambda h, y: y), scored(lambda h, y: h)
TAKEN = {
    "field": (lambda h, y: Fields(loss=y.sum(), logits=y, last_hidden_state=h), LOGITS),
    "last hidden state": (lambda h, y: Fields(last_hidden_state=y, hidden_states=(h, h)), LOGITS),
    "hidden states": (lambda h, y: Fields(hidden_states=(h, y)), LOGITS),
    "key": (lambda h, y: OrderedDict(hidden=h, logits=y), LOGITS),
    "only one": (lambda h, y: {"loss": y.sum(), "ids": TARGETS, "score": y}, LOGITS),
    "first of a tuple": (lambda h, y: (y, h), LOGITS),
    "behind a loss": (lambda h, y: (y.sum(), y, (h, h)), LOGITS),
    "hidden first": (lambda h, y: [h, y], HIDDEN),
}


@pytest.mark.parametrize("kind", TAKEN)
def test_the_logits_are_taken(kind: str) -> None:
    output, expected = TAKEN[kind]
    assert LOGITS != HIDDEN and scored(output) == expected


@pytest.mark.parametrize(
    ("output", "name"),
    [
        (lambda h, y: {"a": h, "b": y}, "b"),
        (lambda h, y: (h, y), "1"),
        (Named, "score"),
        (lambda h, y: Fields(logits=h, hidden_states=(h, y)), "hidden_states"),
    ],
)
def test_an_entry_may_be_named(output: Callable[[Tensor, Tensor], object], name: str) -> None:
    assert scored(output, name) == LOGITS


@pytest.mark.parametrize(
    ("output", "name", "message"),
    [
        (lambda h, y: None, "", "the model returns NoneType, expected one tensor of logits: wrap it"),
        (lambda h, y: {}, "", "the model returns dict, expected one tensor"),
        (
            lambda h, y: {"loss": y.sum(), "ids": TARGETS, "text": "x"},
            "",
            "dict of loss (float32, a single number), ids (int64, 4), text (str), expected one tensor of logits",
        ),
        (lambda h, y: {"a": h, "b": y}, "", "dict of a (float32, 2x5), b (float32, 2x3): name the one to take"),
        (Named, "", "Named of hidden (float32, 2x5), score (float32, 2x3): name the one"),
        (lambda h, y: (h, y), "logits", "tuple of 0 (float32, 2x5), 1 (float32, 2x3): 'logits' is no tensor of it"),
        (lambda h, y: y, "logits", "the model returns Tensor: 'logits' is no tensor of it"),
    ],
)
def test_no_such_tensor_is_one_line(output: Callable[[Tensor, Tensor], object], name: str, message: str) -> None:
    with pytest.raises(ModelError) as raised:
        scored(output, name)
    assert message in str(raised.value).replace("4x5", "2x5").replace("4x3", "2x3")
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize(("end", "units"), [("first", 5), ("second", 3)])
def test_a_named_output_keeps_the_ends_of_blocks(end: str, units: int) -> None:
    model = Returning(lambda h, y: {"a": h, "b": y})
    model.block_ends = (end,)  # type: ignore[assignment]  # a mark of the user's
    assert Proxy(parse("nansum(numel(block@noise))"))(model, torch.zeros(4, 6), output="b") == 4 * units
