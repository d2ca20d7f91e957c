"""Measures columns on one network: runs the probes they need on a copy of it and reduces the tensors to numbers."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from zcproxy.formula import Kind, Node
from zcproxy.random import derive_seed
from zcproxy.sweep.expressions import ColumnEvaluator, Leaves, leaves_of
from zcproxy.sweep.prepare import prepared, prepared_inputs, transformed
from zcproxy.sweep.probes import PROBES
from zcproxy.sweep.recorder import reported
from zcproxy.sweep.session import Evaluate, Key, Session, Value
from zcproxy.sweep.structure import Coverage, Structure, examine


@dataclass(frozen=True)
class Measurement:
    """Columns of one network.

    Attributes:
        layers: number of live layers.
        values: for a column of kind `Layer`, one number a live layer; of kind `Network`, one number.
        seconds: what measuring took; 0 for a measurement read from the store.
        coverage: what of the network its layers hold; None for a measurement read from the store.
    """

    layers: int
    values: dict[Node, NDArray[np.floating]]
    seconds: float = 0.0
    coverage: Coverage | None = None


def measure(
    model: nn.Module,
    inputs: Tensor,
    targets: Tensor | None,
    columns: Iterable[Node],
    *,
    input_seed: int = 0,
    disposable: bool = False,
) -> Measurement:
    """Measure columns on an untrained network, leaving it and the global random state as they were.

    Args:
        model: any module that maps `inputs` to logits: samples x classes for the cross-entropy of `data` and `chunks`,
            floats of any shape for the other probes. Half-precision parameters are measured in float32.
        inputs: samples x ..., floating-point; probes without images take only its shape, dtype and device.
        targets: samples, int64 class indices for the cross-entropy; None draws seeded random classes, which for an
            untrained network tells as much.
        columns: expressions to measure, see `Node.columns`.
        input_seed: index of the Gaussian inputs and random classes.
        disposable: the model is not needed afterwards, so that no copy of it has to be made.

    Raises:
        ModelError: the model raises, returns no tensor of floats, has no weight layer, or holds NaN; inputs or targets
            do not fit.
    """
    wanted = list(dict.fromkeys(columns))
    structure, found = run_probes(
        model,
        inputs,
        targets,
        {column: leaves_of([column]) for column in wanted if not column.is_leaf},
        lambda ready, tensors: ColumnEvaluator(ready).evaluate(tensors),
        input_seed=input_seed,
        disposable=disposable,
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
    return Measurement(layers, values, coverage=structure.coverage)


def run_probes(
    model: nn.Module,
    inputs: Tensor,
    targets: Tensor | None,
    needs: Mapping[Key, Leaves],
    evaluate: Evaluate[Key, Value],
    *,
    input_seed: int = 0,
    disposable: bool = False,
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

    Returns:
        The structure, and the value of each expression: none at all if no layer is live.
    """
    with (
        torch.random.fork_rng(devices=_cuda_devices(inputs)),
        torch.inference_mode(mode=False),
        torch.enable_grad(),
    ):
        torch.manual_seed(derive_seed("measure", input_seed))
        inputs = prepared_inputs(inputs)
        targets = None if targets is None else targets.clone()
        with reported("the model cannot be copied and prepared"):
            network = prepared(model if disposable else copy.deepcopy(model), inputs)
        structure = examine(network, inputs)
        if not any(structure.live):
            return structure, {}
        probes = {probe for leaves in needs.values() for probe in leaves if probe}
        runs = {run.parameters: run for probe in probes for run in PROBES[probe].passes if run.changes_parameters}
        variants = {parameters: transformed(network, run) for parameters, run in runs.items()}
        session = Session(network, variants, inputs, targets, input_seed, structure)
        with torch.no_grad():
            return structure, session.evaluate(needs, evaluate)


def _cuda_devices(inputs: Tensor) -> list[int]:
    return [inputs.device.index or 0] if inputs.is_cuda else []
