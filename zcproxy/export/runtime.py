"""Runtime of an exported proxy beside the engine's own code: the numbers of one network, in torch alone.

`zcproxy.export.proxy_source` copies these definitions into the file it writes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from zcproxy.probing.connections import Edges
from zcproxy.probing.expressions import LayerTensors, Leaves
from zcproxy.probing.measure import run_probes
from zcproxy.probing.structure import Structure

Columns = Callable[[Sequence[LayerTensors], Sequence[LayerTensors]], dict[str, Tensor]]
"""Turns the recorded tensors of each live layer, and those of each block, into columns by their text."""


def undefined() -> Tensor:
    """Return NaN, which stands for an undefined number."""
    return torch.full((1,), torch.nan, dtype=torch.float64)


class OneNetwork:
    """The columns of one network, and its layers and blocks.

    Numbers are float64: one number per layer has the shape `(layers,)`, one number per network the shape `(1,)`.

    Args:
        structure: its layers and connectivity.
        columns: values of the columns that read tensors; none if no layer is live.
    """

    def __init__(self, structure: Structure, columns: Mapping[str, Tensor]) -> None:
        self._structure = structure
        self._columns = {text: values.detach().cpu().double() for text, values in columns.items()}
        self.layers = ConnectedLayers(structure.stages, structure.edges)
        self.blocks = Places(len(structure.blocks))

    def per_layer(self, column: str) -> Tensor:
        """Return a column with one number per layer, or per block."""
        if column in self._structure.layers:
            return torch.tensor(self._structure.layers[column], dtype=torch.float64)
        return self._columns.get(column, undefined()[:0])

    def per_network(self, column: str) -> Tensor:
        """Return a column with one number per network."""
        if column in self._structure.network:
            return torch.tensor([self._structure.network[column]], dtype=torch.float64)
        return self._columns[column].reshape(1) if column in self._columns else undefined()

    def onto_layers(self, values: Tensor) -> Tensor:
        """Return one number per layer from one per block: that of the block that it ends, NaN where it ends none."""
        result = undefined().repeat(self.layers.places)
        for place, value in zip(self._structure.blocks, values, strict=True):
            if place >= 0:
                result[place] = value
        return result


class Places:
    """Reductions over the layers, or the blocks, of one network.

    Args:
        places: how many there are.
    """

    def __init__(self, places: int) -> None:
        self.places = places
        self.count = torch.tensor([places], dtype=torch.float64)

    def sum(self, values: Tensor) -> Tensor:
        """Add up over layers."""
        return values.sum(0, keepdim=True) if self.places else undefined()

    def minimum(self, values: Tensor) -> Tensor:
        """Return the smallest over layers, NaN if one is."""
        return values.amin(0, keepdim=True) if self.places else undefined()

    def maximum(self, values: Tensor) -> Tensor:
        """Return the largest over layers, NaN if one is."""
        return values.amax(0, keepdim=True) if self.places else undefined()

    def first(self, values: Tensor) -> Tensor:
        """Return the value of the first layer."""
        return values[:1] if self.places else undefined()

    def last(self, values: Tensor) -> Tensor:
        """Return the value of the last layer."""
        return values[-1:] if self.places else undefined()

    def median(self, values: Tensor) -> Tensor:
        """Return the median over layers, the mean of the middle two of an even number; NaN if one is."""
        if not self.places or values.isnan().any():
            return undefined()
        ordered = values.sort().values
        lower, upper = (self.places - 1) // 2, self.places // 2
        return (ordered[lower : lower + 1] + ordered[upper : upper + 1]) / 2

    def relative_depth(self, values: Tensor) -> Tensor:
        """Return the place of each layer in [0, 1], with the dtype of `values`."""
        return torch.arange(self.places, dtype=values.dtype) / max(self.places - 1, 1)

    def at_depth(self, values: Tensor, depth: Tensor) -> Tensor:
        """Return the value of the layer nearest to a relative depth in [0, 1], the deeper one of two."""
        if not self.places or not 0.0 <= float(depth) <= 1.0:
            return undefined()
        place = math.floor(float(depth) * (self.places - 1) + 0.5)
        return values[place : place + 1]

    def broadcast(self, values: Tensor) -> Tensor:
        """Return one number per layer from one number per network."""
        return values.expand(self.places)


class ConnectedLayers(Places):
    """The layers of one network, with its stages and paths.

    Args:
        stages: the stage of each layer, -1 behind global pooling.
        edges: the edges between layers.
    """

    def __init__(self, stages: Sequence[int], edges: Edges) -> None:
        super().__init__(len(stages))
        self._stages = [stage for stage in stages if stage >= 0]
        self._rows = torch.tensor([place for place, stage in enumerate(stages) if stage >= 0], dtype=torch.long)
        self.body = Places(len(self._stages))
        self.within_stages = Stages(self._stages)
        self.stages = Places(len(set(self._stages)))
        self.paths = OnePaths(self.places, edges)

    def in_body(self, values: Tensor) -> Tensor:
        """Return the numbers of the layers before global pooling."""
        return values[self._rows]


class Stages:
    """Reductions over the layers of each stage of one network.

    Args:
        stages: the stage of each layer before global pooling.
    """

    def __init__(self, stages: Sequence[int]) -> None:
        numbers = torch.tensor(stages, dtype=torch.long)
        self._rows = [torch.nonzero(numbers == stage).flatten() for stage in dict.fromkeys(stages)]
        self.count = torch.tensor([len(rows) for rows in self._rows], dtype=torch.float64)

    def sum(self, values: Tensor) -> Tensor:
        """Add up over the layers of each stage."""
        return self._each([values[rows].sum() for rows in self._rows])

    def minimum(self, values: Tensor) -> Tensor:
        """Return the smallest of each stage, NaN if one is."""
        return self._each([values[rows].amin() for rows in self._rows])

    def maximum(self, values: Tensor) -> Tensor:
        """Return the largest of each stage, NaN if one is."""
        return self._each([values[rows].amax() for rows in self._rows])

    def _each(self, found: list[Tensor]) -> Tensor:
        return torch.stack(found) if found else undefined()[:0]


class OnePaths:
    """Reductions over all paths of one network, target by target.

    Args:
        layers: number of layers.
        edges: the edges between them; none if no graph leads from input to output.
    """

    def __init__(self, layers: int, edges: Edges) -> None:
        self._layers = layers
        self._sources: dict[int, list[int]] = {}
        for source, target in edges if layers else ():
            self._sources.setdefault(target, []).append(source)

    def log_sum(self, values: Tensor) -> Tensor:
        """Return ln of the sum over paths of e^(the sum of the values along it)."""
        return self._over_paths(values, lambda found: torch.logsumexp(found, 0), torch.add, 0.0)

    def largest_sum(self, values: Tensor) -> Tensor:
        """Return the largest over paths of the sum of the values along it."""
        return self._over_paths(values, torch.amax, torch.add, 0.0)

    def largest_minimum(self, values: Tensor) -> Tensor:
        """Return the largest over paths of the smallest value along it."""
        return self._over_paths(values, torch.amax, torch.minimum, math.inf)

    def _over_paths(
        self,
        values: Tensor,
        beside: Callable[[Tensor], Tensor],
        along: Callable[[Tensor, Tensor], Tensor],
        start: float,
    ) -> Tensor:
        reached = {-1: torch.tensor(start, dtype=torch.float64)}
        result = undefined()
        for target, sources in self._sources.items():
            result = beside(torch.stack([reached[source] for source in sources]))
            if target < self._layers:
                result = along(result, values[target])
            reached[target] = result
        return result.reshape(1)


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
        model,
        inputs,
        targets,
        columns,
        lambda ready, layers, blocks: {function: function(layers, blocks) for function in ready},
    )
    values = {text: value for group in found.values() for text, value in group.items()}
    with torch.no_grad():
        result = float(formula(OneNetwork(structure, values)))
    return result if math.isfinite(result) else math.nan
