"""Runs probe after probe over one prepared network, and evaluates expressions as soon as all they read is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor, nn

from zcproxy.errors import ModelError
from zcproxy.models.rounding import marked
from zcproxy.probing.beside import aligned
from zcproxy.probing.block_end import BLOCK_STATISTICS
from zcproxy.probing.derivatives import (
    BLOCK_JACOBIAN,
    INFORMATION,
    MOTION,
    block_jacobians,
    gradients_of,
    information,
    motion,
    stacked_gradients,
)
from zcproxy.probing.expressions import LayerTensors, Leaves
from zcproxy.probing.isolation import fitting_defaults
from zcproxy.probing.layer_call import LayerCall
from zcproxy.probing.losses import SAME_CLASS, classes_of, described, differentiable, loss_of, same_class
from zcproxy.probing.own_loss import OwnLoss
from zcproxy.probing.prepare import dtype_of
from zcproxy.probing.probes import OF_TEACHER, PROBES, Loss, Pass, Probe, circle, pass_inputs
from zcproxy.probing.recorder import Recorder
from zcproxy.probing.replacements import Replacements, draw_of
from zcproxy.probing.statistic import statistic_of
from zcproxy.probing.structure import Structure
from zcproxy.random import derive_seed

Key = TypeVar("Key")
Value = TypeVar("Value")
Evaluate = Callable[[Sequence[Key], Sequence[LayerTensors], Sequence[LayerTensors]], Mapping[Key, Value]]
"""Turns the recorded tensors of each live layer, and those of each block, into the values of the named expressions."""


class _KeptPasses:
    """The tensors of passes that several probes share, until the last of them has them.

    Args:
        leaves: the statistics that are asked for, by probe.
    """

    def __init__(self, leaves: Leaves) -> None:
        self._names: dict[Pass, set[str]] = {}
        self._uses: Counter[Pass] = Counter()
        self._known: dict[Pass, list[LayerTensors]] = {}
        for probe, wanted in ((PROBES[name], _names(of_probe)) for name, of_probe in leaves.items()):
            for run in probe.passes if probe.runs_once else ():
                self._names.setdefault(run, set()).update(wanted)
                self._uses[run] += 1

    def tensors(self, run: Pass, perform: Callable[[Pass, set[str]], list[LayerTensors]]) -> list[LayerTensors]:
        """Return all that any probe wants of a pass, performing it the first time."""
        if run not in self._known:
            self._known[run] = perform(run, self._names[run])
        self._uses[run] -= 1
        return self._known[run] if self._uses[run] else self._known.pop(run)


def _names(leaves: Iterable[str]) -> set[str]:
    return {leaf.rpartition("@")[0] for leaf in leaves}


class Session:
    """The passes over one prepared network; each distinct pass runs once.

    Args:
        network: as `prepared` and `examine` leave it.
        variants: the networks of the passes that change its parameters, by `Pass.parameters`.
        inputs: samples x ...
        targets: samples, int64 classes; None draws random ones; or a loss of the user.
        input_seed: index of all that is random.
        structure: structure of the network.
        memory_format: memory format of the batch, if it is images.
        beside: what columns read of each layer of a teacher.
    """

    def __init__(
        self,
        network: nn.Module,
        variants: Mapping[tuple[object, ...], nn.Module],
        inputs: Tensor,
        targets: Tensor | OwnLoss | None,
        input_seed: int,
        structure: Structure,
        memory_format: torch.memory_format = torch.contiguous_format,
        beside: Sequence[LayerTensors] = (),
    ) -> None:
        self._network = network
        self._beside = beside
        self._variants = variants
        self._recorders: dict[tuple[object, ...], Recorder] = {}
        self._inputs = inputs
        self._targets = targets
        self._input_seed = input_seed
        self._structure = structure
        self._live = structure.live
        self._memory_format = memory_format

    def evaluate(self, needs: Mapping[Key, Leaves], evaluate: Evaluate[Key, Value]) -> dict[Key, Value]:
        """Run probe after probe; evaluate a column as soon as all it reads is there, then let its tensors go."""
        pending = dict(needs)
        leaves: Leaves = {}
        for probes in needs.values():
            for probe, names in probes.items():
                leaves.setdefault(probe, set()).update(names)
        needs_weights = leaves.pop("", None) is not None
        leaves = {name: names for name, names in leaves.items() if name not in OF_TEACHER}
        order = [name for name in PROBES if name in leaves]
        layers = sum(self._live)
        tensors: list[LayerTensors] = [{} for _ in range(layers + len(self._structure.ends))]
        if self._beside:
            tensors[:layers] = map(dict, aligned(self._beside, layers))
        holder = next((name for name in order if PROBES[name].has_the_weights), None) if needs_weights else None
        if holder:
            leaves[holder].add(f"weight@{holder}")
        elif needs_weights:
            self._add_weights(tensors)
        kept = _KeptPasses(leaves)
        values: dict[Key, Value] = {}
        done = {*OF_TEACHER} if holder else {"", *OF_TEACHER}
        for step in order or [""]:
            if step:
                for known, found in zip(tensors, self._probe(PROBES[step], leaves[step], kept), strict=True):
                    known.update(found)
            if step == holder:
                for known in tensors[:layers]:
                    known["weight"] = known[f"weight@{holder}"]
                done.add("")
            done.add(step)
            ready = [key for key, probes in pending.items() if probes.keys() <= done]
            values.update(evaluate(ready, tensors[:layers], tensors[layers:]))
            pending = {key: probes for key, probes in pending.items() if not probes.keys() <= done}
            needed = {leaf for probes in pending.values() for names in probes.values() for leaf in names}
            tensors = [{leaf: value for leaf, value in known.items() if leaf in needed} for known in tensors]
        return values

    def _add_weights(self, tensors: list[LayerTensors]) -> None:
        recorder = Recorder(self._network)
        _, calls = self._run(recorder, self._inputs[:2])
        for known, call in zip(tensors, calls, strict=False):  # blocks have none
            known["weight"] = call.weight_statistic(call.weight.detach())

    def _run(self, recorder: Recorder, inputs: Tensor) -> tuple[Tensor, list[LayerCall]]:
        """Return the logits and the calls of live layers.

        Raises:
            ModelError: the layers or the sizes of their outputs are others than those of the examination.
        """
        output, calls = recorder.run(inputs)
        if len(calls) != len(self._live):
            raise ModelError(f"the model called {len(calls)} layers, then {len(self._live)}: its forward is not fixed")
        structure = self._structure
        for call, axes, sizes in zip(calls, structure.sample_axes, structure.outputs, strict=True):
            found, expected = call.slots["output"].value.numel(), sizes.of(len(inputs))
            if found != expected:
                raise ModelError(
                    f"layer {call.name or call.kind} has {found} outputs for {len(inputs)} samples, {expected} were "
                    "expected from a first pass: its forward is not fixed"
                )
            call.sample_axes = axes
        for block, axes in zip(recorder.blocks, structure.block_axes, strict=False):  # none where they are not recorded
            block.sample_axes = axes
        return output, [call for call, alive in zip(calls, self._live, strict=True) if alive]

    def _probe(self, probe: Probe, leaves: set[str], kept: _KeptPasses) -> list[LayerTensors]:
        names = _names(leaves)
        if probe.sub_batches > 1:
            parts = [self._pass(probe.run, names, part) for part in self._parts(probe.sub_batches)]
            found = [
                {name: torch.stack([part[index][name] for part in parts]) for name in parts[0][index]}
                for index in range(len(parts[0]))
            ]
        elif probe.per_sample:
            found = self._pass(probe.run, names, per_sample=True)
        else:
            found = kept.tensors(probe.run, self._pass)
            if probe.minus is not None:
                clean = kept.tensors(probe.minus, self._pass)
                found = [
                    {name: layer[name] - base[name] for name in names & layer.keys()}
                    for layer, base in zip(found, clean, strict=True)
                ]
        return [{f"{name}@{probe.name}": layer[name] for name in names & layer.keys()} for layer in found]

    def _parts(self, count: int) -> list[slice]:
        edges = [len(self._inputs) * index // count for index in range(count + 1)]
        return [slice(start, stop) for start, stop in pairwise(edges) if stop > start]

    def _pass(
        self, run: Pass, names: set[str], part: slice = slice(None), *, per_sample: bool = False
    ) -> list[LayerTensors]:
        inputs = pass_inputs(run, self._inputs[part], self._input_seed)
        inputs = inputs.contiguous(memory_format=self._memory_format)
        if run.double:
            inputs = inputs.to(dtype_of(self._variants[run.parameters]))
        return self._record(run, inputs, names, part, per_sample)

    def _model(self, run: Pass) -> nn.Module:
        """Return the network with the parameters that a pass has."""
        return self._variants[run.parameters] if run.changes_parameters else self._network

    def _recorder(self, run: Pass) -> Recorder:
        """Return what observes the network that a pass has; in all passes like it the same."""
        key = *run.transform, run.needs_second_order
        if key not in self._recorders:
            replacements = Replacements(
                normalised=run.normalised,
                running_statistics=run.running_statistics,
                draw=draw_of(run),
                places=self._structure.places,
                seed=self._input_seed,
                roundings=marked(self._model(run)),
                twice=run.needs_second_order,
            )
            self._recorders[key] = Recorder(self._model(run), self._structure.ends, replacements)
        return self._recorders[key]

    def _record(self, run: Pass, inputs: Tensor, names: set[str], part: slice, per_sample: bool) -> list[LayerTensors]:
        recorder = self._recorder(run)
        wanted = {item.name for item in map(statistic_of, names) if item.is_gradient}
        differentiates = bool(wanted) or run.loss in (Loss.RANDOM_SIGNS, Loss.PROBABILITIES, Loss.MOTION)
        with torch.set_grad_enabled(differentiates), differentiable(run):
            output, calls = self._run(recorder, inputs.requires_grad_(differentiates))
            blocks, recorder.blocks = recorder.blocks, []
            with recorder.replaying(), fitting_defaults(inputs):
                classes = self._classes(run, output, part) if wanted or SAME_CLASS in names else None
                if isinstance(classes, OwnLoss) and SAME_CLASS in names:
                    raise ModelError("a loss of your own has no classes to compare: choose a proxy without same_class")
                derived = self._derived(run, inputs, output, calls, blocks, classes)
                if not wanted:
                    gradients: list[LayerTensors] = [{} for _ in (*calls, *blocks)]
                elif per_sample:
                    losses = self._losses(run, output, calls, classes)
                    gradients = stacked_gradients(losses, [*calls, *blocks], wanted)
                else:
                    gradients = gradients_of(loss_of(run, output, calls, classes), [*calls, *blocks], wanted)
        return [
            {
                name: derived[name][index] if name in derived else _tensor(name, call, gradient)
                for name in (names & BLOCK_STATISTICS if call.is_block else names)
            }
            for index, (call, gradient) in enumerate(zip([*calls, *blocks], gradients, strict=True))
        ]

    def _derived(
        self,
        run: Pass,
        inputs: Tensor,
        output: Tensor,
        calls: list[LayerCall],
        blocks: list[LayerCall],
        classes: Tensor | OwnLoss | None,
    ) -> dict[str, Sequence[Tensor]]:
        """Return the statistics that are neither a tensor of the network nor a gradient by one, each for all layers.

        That between blocks is for all blocks, too.
        """
        if run.loss == Loss.RANDOM_SIGNS:
            found = block_jacobians(blocks, self._input_seed)
            return {BLOCK_JACOBIAN: [*self._of_layers(found, calls), *found]}
        if run.loss == Loss.PROBABILITIES:
            parameters = [each for each in self._model(run).parameters() if each.requires_grad and each.numel()]
            return {INFORMATION: [information(output, parameters)] * len(calls)}
        if run.loss == Loss.MOTION:
            velocity = circle(self._inputs, self._input_seed)[1].to(inputs)
            return {MOTION: [motion(output, inputs, velocity)] * len(calls)}
        return {SAME_CLASS: [same_class(classes, output)] * len(calls)} if isinstance(classes, Tensor) else {}

    def _of_layers(self, of_blocks: Sequence[Tensor], calls: Sequence[LayerCall]) -> Iterator[Tensor]:
        """Yield for each layer what the block that it ends has, NaN where it ends none."""
        known = dict(zip(self._structure.blocks, of_blocks, strict=True))
        for index, call in enumerate(calls):
            yield known[index] if index in known else call.weight.new_full((1, 1), torch.nan)

    def _losses(
        self, run: Pass, output: Tensor, calls: list[LayerCall], classes: Tensor | OwnLoss | None
    ) -> Iterator[Tensor]:
        """Yield the loss of each sample."""
        samples = len(self._inputs)
        if output.dim() == 0 or len(output) != samples:
            raise ModelError(f"the model returns {described(output)} for {samples} samples, expected a row for each")
        for row in (slice(index, index + 1) for index in range(samples)):
            yield loss_of(run, output[row], calls, None if classes is None else classes[row])

    def _classes(self, run: Pass, output: Tensor, part: slice) -> Tensor | OwnLoss | None:
        """Return the classes that a loss compares a part of the batch with, targets or random ones; or the user's."""
        if not run.compares_classes:
            return None
        if isinstance(self._targets, OwnLoss) and run.loss != Loss.RANDOM_CLASSES:
            return self._targets[part]
        targets = None if isinstance(self._targets, OwnLoss) or run.loss == Loss.RANDOM_CLASSES else self._targets
        return classes_of(output, targets, len(self._inputs), part, derive_seed("random classes", self._input_seed))


def _tensor(name: str, call: LayerCall, gradient: dict[str, Tensor]) -> Tensor:
    statistic = statistic_of(name)
    if statistic.is_gradient:
        return gradient[statistic.name]
    if name == "weight":
        return call.weight_statistic(call.weight.detach())
    return call.statistic(name, call.slot(name).value)
