"""Measures columns on one network: runs the probes they need on a copy of it and reduces the tensors to numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from zcproxy.errors import ModelError
from zcproxy.formula import Kind, Node
from zcproxy.models.device import enough_memory
from zcproxy.probing.beside import Beside, beside_tensors
from zcproxy.probing.connections import Edges
from zcproxy.probing.coverage import Coverage
from zcproxy.probing.expressions import ColumnEvaluator, LayerTensors, Leaves, leaves_of
from zcproxy.probing.isolation import Watch, adopt, fitting_defaults, own_state, restored
from zcproxy.probing.own_loss import OwnLoss
from zcproxy.probing.placement import WITHOUT_DOUBLE
from zcproxy.probing.prepare import check_model, own_copy, prepared, prepared_inputs, prepared_targets, transformed
from zcproxy.probing.probes import PROBES
from zcproxy.probing.session import Evaluate, Key, Session, Value
from zcproxy.probing.structure import Structure, examine
from zcproxy.random import derive_seed


@dataclass(frozen=True)
class Measurement:
    """Columns of one network.

    Attributes:
        layers: number of live layers.
        values: for a column of kind `Layer`, one number per live layer, or per block (see `is_per_block`); of kind
            `Network`, one number.
        seconds: what measuring took; 0 for a measurement read from the store.
        coverage: the part of the network that its layers hold.
        blocks: for each block, the place of the layer that ends it among the live ones, -1 where none does.
        stages: for each live layer its stage, see `zcproxy.probing.stages`.
        edges: the edges between them, see `zcproxy.probing.connections`.
    """

    layers: int
    values: dict[Node, NDArray[np.floating]]
    seconds: float = 0.0
    coverage: Coverage = field(default_factory=Coverage)
    blocks: tuple[int, ...] = ()
    stages: tuple[int, ...] = ()
    edges: Edges = ()


def measure(
    model: nn.Module,
    inputs: Tensor,
    targets: Tensor | OwnLoss | None,
    columns: Iterable[Node],
    *,
    input_seed: int = 0,
    disposable: bool = False,
    beside: Beside | None = None,
) -> Measurement:
    """Measure columns on an untrained network, leaving it and the global random state as they were.

    Args:
        model: any module that maps `inputs` to logits: samples x classes for the cross-entropy of `data` and `chunks`,
            floats of any shape for the other probes. Half-precision parameters are measured in float32.
        inputs: samples x ..., floating-point; probes without images take only its shape, dtype and device.
        targets: samples, int64 class indices for the cross-entropy; None draws seeded random classes, which for an
            untrained network tells as much; or a loss of the user, bound to targets.
        columns: expressions to measure, see `Node.columns`.
        input_seed: index of the Gaussian inputs and random classes.
        disposable: the model is not needed afterwards, so that no copy of it has to be made.
        beside: the teacher that columns may read, see `zcproxy.probing.teacher`.

    Raises:
        ConfigurationError: a column reads a teacher, and there is none, or it takes other inputs.
        ModelError: the model raises, returns no tensor of floats, has no weight layer, or holds NaN; inputs or targets
            do not fit.
    """
    wanted = list(dict.fromkeys(columns))
    structure, found = run_probes(
        model,
        inputs,
        targets,
        {column: leaves_of([column]) for column in wanted if not column.is_leaf},
        lambda ready, layers, blocks: ColumnEvaluator(ready).evaluate(layers, blocks),
        input_seed=input_seed,
        disposable=disposable,
        beside=beside,
    )
    layers = sum(structure.live)
    values: dict[Node, NDArray[np.floating]] = {}
    for column in wanted:
        if column in found:
            values[column] = np.atleast_1d(found[column].cpu().numpy())
        elif not column.is_leaf:
            values[column] = np.full(int(column.kind is Kind.NETWORK), np.nan)
        elif column.kind is Kind.LAYER:
            values[column] = np.array(structure.layers[column.symbol])
        else:
            values[column] = np.array([structure.network[column.symbol]])
    return Measurement(
        layers,
        values,
        coverage=structure.coverage,
        blocks=structure.blocks,
        stages=tuple(structure.stages),
        edges=structure.edges,
    )


def run_probes(
    model: nn.Module,
    inputs: Tensor,
    targets: Tensor | OwnLoss | None,
    needs: Mapping[Key, Leaves],
    evaluate: Evaluate[Key, Value],
    *,
    input_seed: int = 0,
    disposable: bool = False,
    beside: Beside | None = None,
) -> tuple[Structure, dict[Key, Value]]:
    """Examine a network and evaluate expressions on what its probes record.

    Args:
        model: as for `measure`, like all that is not explained here.
        inputs: samples x ..., floating-point.
        targets: samples, or None.
        needs: for each expression, the statistics that it reads.
        evaluate: called, probe after probe, with the expressions that have all they read.
        input_seed: index of the Gaussian inputs and random classes.
        disposable: the model is not needed afterwards.
        beside: the teacher that expressions may read.

    Returns:
        The structure, and the value of each expression: none at all if no layer is live.
    """
    check_model(model)
    device = inputs.device if isinstance(inputs, Tensor) else torch.device("cpu")
    taught = beside_tensors(beside, inputs, targets, needs.values(), input_seed)
    with own_state(device), nullcontext() if disposable else restored(model), enough_memory(device, _samples(inputs)):
        batch, classes = prepared_inputs(inputs), prepared_targets(targets)
        ways = _ways(batch, needs)
        for way in ways:
            torch.manual_seed(derive_seed("measure", input_seed))
            try:
                network = own_copy(model, disposable=disposable)
                original = None if network is model else model
                return _run(network, original, batch, classes, needs, evaluate, input_seed, way, taught)
            except ModelError:
                if way == ways[-1]:
                    raise
        raise AssertionError("the last way returns or raises")


def _samples(inputs: object) -> int:
    return len(inputs) if isinstance(inputs, Tensor) and inputs.dim() else 0


@dataclass(frozen=True)
class _Way:
    """The representation of a network's numbers while it is measured.

    Attributes:
        memory_format: memory format of images and of the weights.
        double: whether passes that should be in float64 are.
    """

    memory_format: torch.memory_format
    double: bool = True


def _ways(inputs: Tensor, needs: Mapping[Key, Leaves]) -> list[_Way]:
    """Return the ways to try, the plainest one last: a model need not stand what is only quicker or more exact."""
    ways = [_Way(torch.contiguous_format)]
    if inputs.dim() == 4:
        ways.insert(0, _Way(torch.channels_last))
    probes = {probe for leaves in needs.values() for probe in leaves if probe}
    if inputs.dtype != torch.float64 and any(run.double for probe in probes for run in PROBES[probe].passes):
        if inputs.device.type in WITHOUT_DOUBLE:
            raise ModelError(f"a probe of the proxy computes in float64, which {inputs.device} lacks: use device=cpu")
        ways.append(_Way(torch.contiguous_format, double=False))
    return ways


def _run(
    network: nn.Module,
    original: nn.Module | None,
    inputs: Tensor,
    targets: Tensor | OwnLoss | None,
    needs: Mapping[Key, Leaves],
    evaluate: Evaluate[Key, Value],
    input_seed: int,
    way: _Way,
    taught: Sequence[LayerTensors],
) -> tuple[Structure, dict[Key, Value]]:
    """Return what `run_probes` does: of a network that may be changed, a copy of `original` or None, in one way."""
    structure = _examined(network, original, inputs, way)
    if not any(structure.live):
        return structure, {}
    probes = {probe for leaves in needs.values() for probe in leaves if probe}
    runs = {run.parameters: run for probe in probes for run in PROBES[probe].passes if run.changes_parameters}
    variants = {
        parameters: transformed(network, replace(run, double=run.double and way.double))
        for parameters, run in runs.items()
    }
    session = Session(network, variants, inputs, targets, input_seed, structure, way.memory_format, taught)
    with torch.no_grad():
        return structure, session.evaluate(
            needs,
            lambda ready, *tensors: evaluate(ready, *([_real_numbers(each) for each in part] for part in tensors)),
        )


def _examined(network: nn.Module, original: nn.Module | None, inputs: Tensor, way: _Way) -> Structure:
    """Prepare a network and examine it, once more if it keeps layers that are not registered as its own."""
    prepared(network, inputs, way.memory_format)
    structure, watch = _watched(network, original, inputs)
    if watch.foreign:
        adopt(network, watch.foreign)
        prepared(network, inputs, way.memory_format)
        structure, watch = _watched(network, original, inputs)
        adopt(network, watch.foreign)
    if watch.reads_layout and way.memory_format == torch.channels_last:
        raise ModelError("the model reads how its tensors lie in memory, which was changed to channels-last")
    return structure


def _watched(network: nn.Module, original: nn.Module | None, inputs: Tensor) -> tuple[Structure, Watch]:
    watch = Watch(network, original)
    with fitting_defaults(inputs):
        return examine(network, inputs, watch), watch


def _real_numbers(layer: LayerTensors) -> LayerTensors:
    """Return what was recorded in float32 where a model computes in half precision, and refuse complex numbers."""
    for name, tensor in layer.items():
        if tensor.is_complex():
            raise ModelError(f"'{name}' of a layer holds {tensor.dtype}, expected real numbers: choose another proxy")
    return {
        name: tensor.float() if tensor.is_floating_point() and tensor.dtype.itemsize < 4 else tensor
        for name, tensor in layer.items()
    }
