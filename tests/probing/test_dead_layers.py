"""Layers that feed nothing or are fed zeros."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor, nn

from zcproxy import Proxy
from zcproxy.primitives import parse
from zcproxy.probing.measure import measure


class DeadEnds(nn.Module):
    """One layer feeds nothing, one is fed zeros, and two work."""

    def __init__(self, *, dead: bool) -> None:
        super().__init__()
        self.first = nn.Linear(6, 5)
        self.last = nn.Linear(5, 3)
        self.unused = nn.Linear(6, 50)
        self.starved = nn.Linear(5, 3, bias=False)
        self.dead = dead

    def forward(self, inputs: Tensor) -> Tensor:
        logits = self.last(torch.relu(self.first(inputs)))
        if self.dead:
            self.unused(inputs)
            logits = logits + self.starved(torch.zeros_like(inputs[:, :5]))
        return logits


def test_dead_layers_are_in_no_column() -> None:
    torch.manual_seed(0)
    model = DeadEnds(dead=True)
    clean = copy.deepcopy(model)
    clean.dead = False
    inputs = torch.randn(6, 6)
    texts = ["params", "macs", "l1_norm(weight)", "l1_norm(grad(weight)@noise)", "l1_norm(output@data)"]
    texts += [
        "l1_norm(weight@ones)",
        "logdet(layer_sum(sample_gram(output@noise)))",
        "depth",
        "l1_norm(mean(grad(weight)@chunks))",
    ]
    columns = [parse(text) for text in texts]
    measured, expected = (measure(item, inputs, None, columns) for item in (model, clean))
    assert measured.layers == expected.layers == 2
    for column in columns:
        np.testing.assert_array_equal(measured.values[column], expected.values[column])


def test_a_network_without_a_live_layer_is_undefined() -> None:
    class Cut(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(6, 3)

        def forward(self, inputs: Tensor) -> Tensor:
            return self.layer(inputs).detach() * 0.0 + inputs[:, :3]

    for text in ("sum(l1_norm(grad(weight)@noise))", "logdet(layer_sum(sample_gram(output@noise)))", "mean(params)"):
        assert np.isnan(Proxy(parse(text))(Cut(), torch.randn(4, 6)))
