"""The teacher: a second network, trained or not, whose tensors formulas read beside those of the network measured."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache

import torch
from torch import Tensor, nn

from zcproxy.errors import ConfigurationError, ModelError
from zcproxy.models.content import content_of
from zcproxy.probing.expressions import LayerTensors
from zcproxy.probing.measure import run_probes
from zcproxy.probing.own_loss import OwnLoss
from zcproxy.probing.prepare import check_parameters
from zcproxy.probing.probes import OF_TEACHER
from zcproxy.text.visible import shortened
from zcproxy.user_code.references import load_model

LONGEST_REASON = 200
"""Characters of a reason in messages."""


class Teacher:
    """A network that is measured on the inputs that students are shown. Implements `Beside`.

    It is called as students are: on the same minibatch, targets and noise, its normalisations with the statistics of
    the batch. What was recorded last is kept: students that are shown the same cost one measurement of the teacher.

    Args:
        network: any module that takes the inputs of the students; neither it nor its mode is changed.
        name: how messages call it.

    Attributes:
        digest: what tells its code and weights from those of any other.

    Raises:
        ConfigurationError: a parameter has no numbers that can be measured.
    """

    def __init__(self, network: nn.Module, name: str = "the given module") -> None:
        self._network, self.name = network, name
        try:
            check_parameters(network)
        except ModelError as error:
            raise ConfigurationError(f"the teacher {name} cannot be measured: {error}") from error
        self.digest = content_of(network)
        self._kept: tuple[object, Sequence[LayerTensors]] | None = None

    def __call__(
        self, inputs: Tensor, targets: Tensor | OwnLoss | None, leaves: frozenset[str], input_seed: int
    ) -> Sequence[LayerTensors]:
        """Return the tensors of each live layer by the text of their leaf, such as `output@teacher`.

        Args:
            inputs: samples x ...
            targets: samples, int64 classes; None draws random ones; or a loss of the user.
            leaves: texts of statistics of a teacher.
            input_seed: index of the random inputs.

        Raises:
            ConfigurationError: it cannot be measured on these inputs.
        """
        shown = _key(inputs, targets, leaves, input_seed)
        if self._kept is not None and shown is not None and self._kept[0] == shown:
            return self._kept[1]
        self._kept = None  # before the next is measured: one set of tensors in memory
        found = self._measured(inputs, targets, leaves, input_seed)
        self._kept = (shown, found)
        return found

    def _measured(
        self, inputs: Tensor, targets: Tensor | OwnLoss | None, leaves: frozenset[str], input_seed: int
    ) -> list[LayerTensors]:
        own = {leaf: _own_leaf(leaf) for leaf in sorted(leaves)}
        needs = {leaf: {text.rpartition("@")[2]: {text}} for leaf, text in own.items()}

        def recorded(
            ready: Sequence[str], layers: Sequence[LayerTensors], _: Sequence[LayerTensors]
        ) -> Mapping[str, list[Tensor]]:
            return {leaf: [layer[own[leaf]].detach() for layer in layers] for leaf in ready}

        shape = "x".join(map(str, inputs.shape[1:]))
        problem = f"the teacher {self.name} cannot be measured on the inputs of the networks, {shape}"
        try:
            network = _on(inputs.device, self._network)
            structure, found = run_probes(network, inputs, targets, needs, recorded, input_seed=input_seed)
        except ModelError as error:
            raise ConfigurationError(
                f"{problem}: {shortened(str(error), LONGEST_REASON)}; give one that takes these and returns logits"
            ) from error
        if not found:
            raise ConfigurationError(f"{problem}: no signal passes it; give another one")
        return [{leaf: found[leaf][index] for leaf in found} for index in range(sum(structure.live))]


@lru_cache(maxsize=2)
def teacher_of(token: str) -> Teacher:
    """Return a teacher, made once per process.

    Args:
        token: `package.module:factory`, or with `#` and the digest that it must have, see `token_of`.

    Raises:
        ConfigurationError: there is no such factory, only a stored file names it (see
            `zcproxy.user_code.permission`), or what it makes has another digest.
        ModelError: the factory fails.
    """
    reference, _, digest = token.partition("#")
    made = Teacher(load_model(reference, "teacher"), f"'{shortened(reference, LONGEST_REASON)}'")
    if digest and made.digest != digest:
        raise ConfigurationError(
            f"the teacher {made.name} is another one than before: its code or weights have changed; restore them, or "
            "begin anew"
        )
    return made


def token_of(reference: str) -> str:
    """Return the reference with the digest of what it makes; raises as `teacher_of`."""
    return reference if "#" in reference else f"{reference}#{teacher_of(reference).digest}"


def _on(device: torch.device, network: nn.Module) -> nn.Module:
    """Return a network, or a copy where its weights are on another device."""
    first = next(network.parameters(), None)
    return network if first is None or first.device == device else copy.deepcopy(network).to(device)


def _own_leaf(leaf: str) -> str:
    """Return what the teacher's own measurement calls a statistic: `grad(weight)@data` of `grad(weight)@teacher`."""
    statistic, _, probe = leaf.rpartition("@")
    return f"{statistic}@{OF_TEACHER[probe]}"


def _key(
    inputs: Tensor, targets: Tensor | OwnLoss | None, leaves: frozenset[str], input_seed: int
) -> tuple[object, ...] | None:
    """Return what tells measurements apart; None where a loss of the user does not let them be told apart."""
    if isinstance(targets, OwnLoss):
        return None
    shown = hashlib.sha256()
    for tensor in (inputs, targets):
        if tensor is not None:
            shown.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    form = (tuple(inputs.shape), inputs.dtype, inputs.device, targets is None)
    return (shown.hexdigest(), *form, leaves, input_seed)
