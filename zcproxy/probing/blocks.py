"""Ends of the blocks of a network: the modules that it names, or the places where all its paths meet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch._C import DisableTorchFunction
from torch.autograd.graph import GradientEdge, Node, get_gradient_edge

from zcproxy.errors import ModelError, nearest_names
from zcproxy.probing.block_end import BlockEnd, Step
from zcproxy.probing.graph import Graph
from zcproxy.probing.layer_call import LayerCall
from zcproxy.probing.liveness import Liveness
from zcproxy.probing.overlapping import overlapping_ends
from zcproxy.text.visible import shortened

ATTRIBUTE = "block_ends"
"""The attribute of a model with the names of the submodules whose outputs end its blocks."""

Hook = Callable[[nn.Module, Any, Any], None]


@dataclass(frozen=True)
class ModuleOutput:
    """The output of a module in a pass.

    Attributes:
        name: its path.
        edge: edge of its output in the graph, None where no graph leads to it.
        has_signal: whether its output is not zero everywhere.
    """

    name: str
    edge: GradientEdge | None
    has_signal: bool


class NamedEnds:
    """The modules that a network names as the ends of its blocks, and what they yield.

    Args:
        model: the network; what it calls `block_ends` is read.

    Raises:
        ModelError: `block_ends` holds something else than paths of submodules.
    """

    def __init__(self, model: nn.Module) -> None:
        self._modules = _named_modules(model)
        self._outputs: list[ModuleOutput] = []

    def __bool__(self) -> bool:
        """Whether the network names any."""
        return bool(self._modules)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Note what the modules yield inside the context, forgetting what they yielded before."""
        self._outputs = []
        handles = [module.register_forward_hook(self._noting(name)) for name, module in self._modules.items()]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _noting(self, name: str) -> Hook:
        def note(module: nn.Module, inputs: Any, output: Any) -> None:
            if not isinstance(output, Tensor):
                raise ModelError(
                    f"{ATTRIBUTE} names '{shortened(name, 100)}', whose output is a {type(output).__name__}, expected "
                    "one tensor: name a module inside or around it"
                )
            with DisableTorchFunction(), torch.no_grad():  # it is not an operation of the model
                edge = get_gradient_edge(output) if output.requires_grad else None
                self._outputs.append(ModuleOutput(name, edge, bool(output.any())))

        return note

    def found(self) -> list[ModuleOutput]:
        """Return what the modules yielded in the last pass inside `watched`, in order: a module called twice, twice.

        Raises:
            ModelError: one was not called.
        """
        silent = self._modules.keys() - {output.name for output in self._outputs}
        if silent:
            raise ModelError(
                f"{ATTRIBUTE} names '{shortened(min(silent), 100)}', which the forward pass does not call: name "
                "modules that it calls"
            )
        return self._outputs


def _named_modules(model: nn.Module) -> dict[str, nn.Module]:
    """Return the modules that a model names as the ends of its blocks, by their paths; none if it names none."""
    names: object = getattr(model, ATTRIBUTE, ())
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise ModelError(
            f"{ATTRIBUTE} of the model is a {type(names).__name__}, expected a tuple of paths of submodules such as "
            "('stem', 'cells.0')"
        )
    known = dict(model.named_modules())
    found: dict[str, nn.Module] = {}
    for name in names:
        if not isinstance(name, str):
            raise ModelError(
                f"{ATTRIBUTE} of the model holds a {type(name).__name__}, expected paths of submodules such as "
                "'cells.0'"
            )
        if name not in known or not name:
            raise ModelError(
                f"{ATTRIBUTE} names '{shortened(name, 100)}', which is not a submodule of the model"
                f"{nearest_names(name, known)}"
            )
        found[name] = known[name]
    return found


def module_ends(
    outputs: Iterable[ModuleOutput], calls: Sequence[LayerCall], live: Sequence[bool], steps: Sequence[Step]
) -> tuple[BlockEnd, ...]:
    """Return where blocks end of a network that names modules; one that hands on what it got ends a block too.

    Args:
        outputs: outputs of the modules that a signal passes.
        calls: the layer calls of the pass.
        live: for each call, whether it is live.
        steps: the operations of the pass.

    Raises:
        ModelError: an output is not a result of one operation.
    """
    layers = [index for index, alive in enumerate(live) if alive]
    places: dict[Node | None, int] = {}
    for index, step in enumerate(steps):
        places.setdefault(step.node, index)
    found: list[BlockEnd] = []
    for output in outputs if layers else ():
        place = None if output.edge is None else places.get(output.edge.node)
        if place is None:
            raise ModelError(
                f"{ATTRIBUTE} names '{shortened(output.name, 100)}', whose output is the input of the model or one of "
                "several results of an operation: name a module that computes one tensor"
            )
        before = [index for index in layers if calls[index].operation <= place]
        call = before[-1] if before else layers[0]
        has_layer = bool(before) and not any(end.has_layer and end.call == call for end in found)
        found.append(BlockEnd(steps[place].place, steps[place].shape, call, has_layer))
    return tuple(found)


def found_ends(
    calls: Sequence[LayerCall],
    live: Sequence[bool],
    steps: Sequence[Step],
    shared_by_all: frozenset[int],
    graph: Graph,
    alive: Liveness,
) -> tuple[BlockEnd, ...]:
    """Return where blocks end of a network that names no modules.

    A block ends at the first result that every path from input to output goes through, after a live layer (and its
    normalisation) and before the next one: a layer with parallel ones ends none. What comes after global pooling is no
    block, nor are the logits. Cells that read the two before them end blocks too: see `overlapping_ends`.

    Args:
        calls: the layer calls of the pass.
        live: for each call, whether it is live.
        steps: the operations of the pass.
        shared_by_all: those whose result every path goes through.
        graph: the graph of the pass.
        alive: what is alive between the operations.
    """
    places = [index for index, is_live in enumerate(live) if is_live]
    gaps = [
        (place, range(calls[place].normalized_by, calls[following].operation))
        for place, following in pairwise(places)
        if "features" not in calls[place].slots
    ]
    shared, others, until = {}, {}, {}
    for place, gap in gaps:
        end = next((operation for operation in gap if operation in shared_by_all), None)
        if end is not None:
            shared[end] = place
        else:
            end = next((operation for operation in gap if alive.tensors[operation + 1] == 2), None)
            others.update({} if end is None else {end: place})
        if end is not None:  # what stands in for a result, activated say, counts as it
            until[end] = max(alive.last[end : gap.stop])
    ends = shared | {end: others[end] for end in overlapping_ends(list(shared), list(others), until, steps, graph)}
    return tuple(BlockEnd(steps[end].place, steps[end].shape, ends[end]) for end in sorted(ends))
