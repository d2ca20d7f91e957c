"""What an exported proxy needs beside the engine's own code: the numbers of one network, in torch alone.

`zcproxy.export.proxy_source` copies these definitions into the file it writes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from zcproxy.probing.expressions import LayerTensors, Leaves
from zcproxy.probing.measure import run_probes
from zcproxy.probing.structure import Structure

Columns = Callable[[Sequence[LayerTensors]], dict[str, Tensor]]
"""Turns the recorded tensors of each live layer into columns by their text."""


class OneNetwork:
    """The columns of one network, and the reductions over its layers.

    Numbers are float64: one number a layer has the shape `(layers,)`, one number a network the shape `(1,)`.

    Args:
        structure: its layers and connectivity.
        columns: values of the columns that read tensors; none if no layer is live.
    """

    def __init__(self, structure: Structure, columns: Mapping[str, Tensor]) -> None:
        self._structure = structure
        self._columns = {text: values.detach().cpu().double() for text, values in columns.items()}
        self._layers = sum(structure.live)
        self._undefined = torch.full((1,), torch.nan, dtype=torch.float64)
        self.count = torch.tensor([self._layers], dtype=torch.float64)

    def per_layer(self, column: str) -> Tensor:
        """Return a column with one number a layer."""
        if column in self._structure.layers:
            return torch.tensor(self._structure.layers[column], dtype=torch.float64)
        return self._columns.get(column, self._undefined[:0])

    def per_network(self, column: str) -> Tensor:
        """Return a column with one number a network."""
        if column in self._structure.network:
            return torch.tensor([self._structure.network[column]], dtype=torch.float64)
        return self._columns[column].reshape(1) if column in self._columns else self._undefined

    def sum(self, values: Tensor) -> Tensor:
        """Add up over layers."""
        return values.sum(0, keepdim=True) if self._layers else self._undefined

    def minimum(self, values: Tensor) -> Tensor:
        """Return the smallest over layers, NaN if one is."""
        return values.amin(0, keepdim=True) if self._layers else self._undefined

    def maximum(self, values: Tensor) -> Tensor:
        """Return the largest over layers, NaN if one is."""
        return values.amax(0, keepdim=True) if self._layers else self._undefined

    def first(self, values: Tensor) -> Tensor:
        """Return the value of the first layer."""
        return values[:1] if self._layers else self._undefined

    def last(self, values: Tensor) -> Tensor:
        """Return the value of the last layer."""
        return values[-1:] if self._layers else self._undefined

    def median(self, values: Tensor) -> Tensor:
        """Return the median over layers, the mean of the middle two of an even number; NaN if one is."""
        if not self._layers or values.isnan().any():
            return self._undefined
        ordered = values.sort().values
        lower, upper = (self._layers - 1) // 2, self._layers // 2
        return (ordered[lower : lower + 1] + ordered[upper : upper + 1]) / 2

    def relative_depth(self, values: Tensor) -> Tensor:
        """Return the place of each layer in [0, 1], with the dtype of `values`."""
        return torch.arange(self._layers, dtype=values.dtype) / max(self._layers - 1, 1)

    def broadcast(self, values: Tensor) -> Tensor:
        """Return one number a layer from one number a network."""
        return values.expand(self._layers)


def namespace(value: Any) -> Any:
    """Return the module whose functions work on `value`: here, everything is a tensor."""
    return torch


def number(value: float) -> Tensor:
    """Return a constant of the formula."""
    return torch.tensor(value, dtype=torch.float64)


def score_network(
    model: nn.Module,
    inputs: Tensor,
    targets: Tensor | None,
    columns: Mapping[Columns, Leaves],
    formula: Callable[[OneNetwork], Tensor],
) -> float:
    """Measure columns on a network and return the value of a formula on them: NaN where it is undefined.

    Args:
        model: the network; it and the random state are left as they were.
        inputs: samples x ..., floating-point.
        targets: samples, int64 classes; None draws seeded random ones.
        columns: functions that yield columns, each with the statistics that it reads, by probe.
        formula: the arithmetic on columns.
    """
    structure, found = run_probes(
        model, inputs, targets, columns, lambda ready, layers: {function: function(layers) for function in ready}
    )
    values = {text: value for group in found.values() for text, value in group.items()}
    with torch.no_grad():
        result = float(formula(OneNetwork(structure, values)))
    return result if math.isfinite(result) else math.nan
