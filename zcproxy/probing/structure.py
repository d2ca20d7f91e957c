"""Structure of a network: its layers, which of them are live, and the paths between input and output.

One small pass (two Gaussian samples) tells. A layer is *live* if a signal reaches it and leaves it for the output: its
input is not identically zero and neither is the gradient at its output. Dead layers (an edge that leads nowhere) are
left out of every column, so that a network scores like the same network with its dead parts removed.

What is zero only because of its initial value does not make layers dead. Scales of normalisations and gates (factors)
that start at zero are set to one, here and in everything that is measured, so that residual branches count. Weights of
layers that start at zero are drawn at random for this pass; they are measured as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import repeat

import torch
from torch import Tensor, nn
from torch._C import DisableTorchFunction
from torch.overrides import TorchFunctionMode

from zcproxy.errors import ModelError
from zcproxy.models.macs import by_products
from zcproxy.probing.block_end import BlockEnd
from zcproxy.probing.blocks import NamedEnds, found_ends, module_ends
from zcproxy.probing.connections import Edges, connect, passed_by_signal
from zcproxy.probing.coverage import Coverage, mixed_layers, unseen_matrices
from zcproxy.probing.cuts import described_cuts
from zcproxy.probing.derivatives import reached_by
from zcproxy.probing.descriptors import LAYER_DESCRIPTORS, Sizes, describe_all, sizes_of
from zcproxy.probing.graph import Graph
from zcproxy.probing.layer_call import LayerCall
from zcproxy.probing.liveness import liveness
from zcproxy.probing.paths import count_paths
from zcproxy.probing.recorder import Recorder
from zcproxy.probing.replacements import Replacements
from zcproxy.probing.samples import LARGE, SMALL, SampleAxis, sample_axis
from zcproxy.probing.stages import body_of, described_stages, stages_of


@dataclass(frozen=True)
class Structure:
    """Layers and connectivity of one network.

    Attributes:
        live: for each layer call, in order of execution, whether it is live.
        places: for each layer call the place of its weight among those of live layers, None for a dead one.
        ends: where its blocks end.
        sample_axes: for each layer call, where its tensors have the samples: see `LayerCall`.
        block_axes: the same for each block.
        outputs: for each layer call, the size of its output.
        coverage: the part of the network that the layers hold.
        stages: for each live layer, its stage, see `stages_of`.
        edges: the edges between live layers, see `zcproxy.probing.connections`.
        layers: for each layer descriptor, one number per live layer.
        network: for each network descriptor, one number.
    """

    live: list[bool]
    places: list[int | None]
    ends: tuple[BlockEnd, ...]
    layers: dict[str, list[float]]
    network: dict[str, float]
    sample_axes: list[dict[str, SampleAxis]] = field(default_factory=list)
    block_axes: list[dict[str, SampleAxis]] = field(default_factory=list)
    outputs: list[Sizes] = field(default_factory=list)
    coverage: Coverage = field(default_factory=Coverage)
    stages: list[int] = field(default_factory=list)
    edges: Edges = ()

    @property
    def blocks(self) -> tuple[int, ...]:
        """For each block, the place among the live layers of the one that ends it, -1 where none does."""
        return tuple(sum(self.live[: end.call]) if end.has_layer else -1 for end in self.ends)


def examine(model: nn.Module, like: Tensor, watch: TorchFunctionMode | None = None) -> Structure:
    """Return the structure of a network. Its scales and gates that are zero become one: give a copy.

    Args:
        model: the network.
        like: an input: samples x ...; only its shape, dtype and device count.
        watch: sees the operations of the network as it calls them.

    Raises:
        ModelError: the model calls no layer, or yields no tensor; or the blocks that it names are none.
    """
    named = NamedEnds(model)
    generator = torch.Generator().manual_seed(0)
    inputs = _drawn_like(like, generator).requires_grad_()
    recorder, output, calls = _recorded(model, named, inputs, watch)
    weights = torch.rand(output.shape, generator=generator, device="cpu", dtype=torch.float32).to(output) + 0.5
    loss = (output * weights).sum()
    outputs = named.found()
    sources = [*(call.slot("output").edge for call in calls), *(output.edge for output in outputs)]
    with recorder.replaying():
        unseen, unseen_share = unseen_matrices(model, loss, recorder.used)
        reached = iter(reached_by(loss, sources))
    live = [next(reached) and bool(call.slot("input").value.any()) for call in calls]
    passed = [output for output, is_reached in zip(outputs, reached, strict=True) if is_reached and output.has_signal]
    graph = Graph(output, inputs)
    paths = count_paths(graph, calls, [step.node for step in recorder.steps])
    signal = passed_by_signal(graph, calls, live)
    alive = liveness(graph, signal, recorder.steps, inputs.numel() // SMALL, SMALL)
    if named:
        ends = module_ends(passed, calls, live, recorder.steps)
    else:
        ends = found_ends(calls, live, recorder.steps, paths.shared_by_all, graph, alive)
    others, other_blocks = _larger(model, inputs, ends, calls) if _may_mix_samples(calls) else (None, None)
    pairs = list(zip(calls, others or repeat(None), strict=False))
    places = _weight_places(calls, live)
    rows = describe_all(pairs, paths, places)
    kept = [row for row, is_live in zip(rows, live, strict=True) if is_live]
    kept_calls = [call for call, is_live in zip(calls, live, strict=True) if is_live]
    body = body_of(kept_calls, kept)
    for index, row in enumerate(kept):
        row |= {"relative_depth": index / max(len(kept) - 1, 1), "before_pooling": float(body[index])}
    stages = stages_of(kept, body)
    sample_axes, block_axes = _sample_axes(calls, others), _block_axes(ends, other_blocks)
    for end, axes in zip(ends, block_axes, strict=True):
        sample_axes[end.call].update(axes if end.has_layer else {})
    mixed = mixed_layers(calls, live, sample_axes)
    edges = connect(graph, calls, live, signal)
    return Structure(
        live,
        places,
        ends,
        {name: [row[name] for row in kept] for name in LAYER_DESCRIPTORS},
        _sizes_of_network(model, recorder, rows, len(kept))
        | {"log_paths": paths.log_paths, "shortest_path": paths.shortest, "longest_path": paths.longest}
        | described_stages(kept, stages)
        | described_cuts(alive, kept_calls, body, recorder.poolings),
        sample_axes,
        block_axes,
        [sizes_of(*pair) for pair in pairs],
        Coverage(unseen, unseen_share, tuple(mixed), tuple(sorted(recorder.generated)), bool(kept and not edges)),
        stages,
        edges,
    )


def _drawn_like(like: Tensor, generator: torch.Generator) -> Tensor:
    shape = (SMALL, *like.shape[1:])
    return torch.randn(shape, generator=generator, device="cpu", dtype=torch.float32).to(like)


def _sizes_of_network(
    model: nn.Module, recorder: Recorder, rows: Sequence[dict[str, float]], live: int
) -> dict[str, float]:
    """Return how large a network is, given the descriptors of all its layer calls and how many of them are live."""
    tables = {module.weight for module in model.modules() if isinstance(module, nn.Embedding | nn.EmbeddingBag)}
    return {
        "total_params": float(sum(parameter.numel() for parameter in model.parameters())),
        "embedding_params": float(sum(table.numel() for table in tables)),
        "total_macs": sum(row["macs"] for row in rows) + recorder.others.macs(SMALL),
        "depth": float(live),
        "dead_layers": float(len(rows) - live),
    }


def _recorded(
    model: nn.Module, named: NamedEnds, inputs: Tensor, watch: TorchFunctionMode | None
) -> tuple[Recorder, Tensor, list[LayerCall]]:
    """Run a model with its gates open; return what observed it, its output and its layer calls."""
    recorder = Recorder(model, replacements=Replacements(awake=True), counts=True, watch=watch)
    with by_products(), named.watched():
        output, calls = recorder.run(inputs)
    if _opened(model, recorder.gates):
        with by_products(), named.watched():
            output, calls = recorder.run(inputs)
    if not calls:
        raise ModelError("the model has no convolution or linear layer that its forward pass calls")
    return recorder, output, calls


@torch.no_grad()
def _opened(model: nn.Module, gates: Iterable[str]) -> bool:
    """Set the parameters of gates that are all zero to one; return whether there are any."""
    shut = [parameter for parameter in map(model.get_parameter, sorted(gates)) if not parameter.any()]
    for parameter in shut:
        parameter.fill_(1.0)
    return bool(shut)


def _weight_places(calls: Sequence[LayerCall], live: Sequence[bool]) -> list[int | None]:
    """Return for each layer call the place of its weight among those of live layers; a shared weight has one."""
    known: dict[object, int] = {}
    with DisableTorchFunction():  # that zcproxy asks how a weight lies in memory says nothing of the model
        return [
            known.setdefault((call.weight.data_ptr(), call.weight.shape, call.weight.stride()), len(known))
            if alive
            else None
            for call, alive in zip(calls, live, strict=True)
        ]


def _may_mix_samples(calls: Sequence[LayerCall]) -> bool:
    """Whether a tensor of a layer may have something else than samples on its first axis, or other axes with them."""
    return any(
        (not call.is_convolution and call.slots["output"].value.dim() > 2)
        or any(slot.value.shape[:1] != (SMALL,) for slot in call.slots.values())
        for call in calls
    )


@torch.no_grad()
def _larger(
    model: nn.Module, inputs: Tensor, ends: Sequence[BlockEnd], calls: Sequence[LayerCall]
) -> tuple[list[LayerCall], list[LayerCall]]:
    """Return the layer calls and blocks for a batch of another size, see `sample_axis`."""
    batch = torch.stack([inputs[0], inputs[0], inputs[1]])
    recorder = Recorder(model, ends, Replacements(awake=True))
    found = recorder.run(batch)[1]
    if len(found) != len(calls):
        raise ModelError(
            f"the model called {len(found)} layers for {LARGE} samples, {len(calls)} for {SMALL}: its forward is not "
            "fixed"
        )
    return found, recorder.blocks


def _sample_axes(calls: Sequence[LayerCall], others: Sequence[LayerCall] | None) -> list[dict[str, SampleAxis]]:
    """Return where the tensors of each layer call have the samples; nothing if all have them first."""
    if others is None:
        return [{} for _ in calls]
    return [
        {name: _axis_of(other, name, slot.value.shape) for name, slot in call.slots.items() if name in other.slots}
        for call, other in zip(calls, others, strict=True)
    ]


def _block_axes(ends: Sequence[BlockEnd], others: Sequence[LayerCall] | None) -> list[dict[str, SampleAxis]]:
    """Return the same for blocks."""
    if others is None:
        return [{} for _ in ends]
    return [
        {"block": _axis_of(other, "block", end.shape)} if "block" in other.slots else {}
        for end, other in zip(ends, others, strict=True)
    ]


def _axis_of(call: LayerCall, name: str, shape: torch.Size) -> SampleAxis:
    arranged = call.arranged(name, torch.empty(shape, device="meta")).shape
    return sample_axis(arranged, call.arranged(name, call.slots[name].value))
