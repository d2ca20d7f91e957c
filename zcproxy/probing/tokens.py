"""Models of token ids: probes replace what the embedding gives for the ids.

No noise can be put into ids. So the network that is measured begins after the embedding: its input is the rows that the
model looks up for the ids, samples x tokens x width, and whatever a probe shows (these rows, Gaussian noise, ones) is
given to the model as the result of that lookup. What the model adds afterwards, such as embeddings of positions, stays.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch._C import DisableTorchFunction
from torch.overrides import TorchFunctionMode

from zcproxy.errors import ModelError
from zcproxy.probing.around import Around
from zcproxy.probing.recorder import reported

KINDS = (torch.int64, torch.int32)
"""Dtypes of token ids: those that an embedding of torch takes."""


def are_tokens(inputs: Tensor) -> bool:
    """Whether inputs are token ids."""
    return inputs.dtype in KINDS


class AfterEmbedding(Around):
    """A model of token ids that is given what comes after its embedding.

    What it does with the ids beside looking them up (a mask where they are padding) it does with those of the batch:
    with the ids of the samples that it is shown where these are rows of the batch; of as many samples as the batch has,
    with all of them; else with the first sample's.

    Args:
        model: takes ids.
        ids: samples x ..., of the batch.
        embedded: the rows that the model looks up for them: samples x ... x width.
    """

    def __init__(self, model: nn.Module, ids: Tensor, embedded: Tensor) -> None:
        super().__init__(model)
        self._ids, self._embedded = ids, embedded

    def forward(self, shown: Tensor) -> Any:
        """Return what the model does where its first lookup of the ids gives `shown`: samples x ... x width."""
        with DisableTorchFunction():  # no operation of the model
            ids = self._ids_of(shown)
        with _Lookup(ids, shown):
            return self.model(ids)

    def _ids_of(self, shown: Tensor) -> Tensor:
        samples, rows = len(self._ids), self._embedded.to(shown)
        for start in range(samples - len(shown) + 1):
            if torch.equal(rows[start : start + len(shown)], shown):
                return self._ids[start : start + len(shown)]
        return self._ids if len(shown) == samples else self._ids[:1].expand(len(shown), *self._ids.shape[1:])


class _FoundError(Exception):
    """Ends a forward pass at the lookup of the ids."""


class _Lookup(TorchFunctionMode):
    """Gives another result of the first lookup of ids; or ends the pass there and keeps the result, in `found`.

    Args:
        ids: those that are looked up, in any shape.
        given: the result, ids x width in any shape; None to keep that of the model.
    """

    def __init__(self, ids: Tensor, given: Tensor | None = None) -> None:
        super().__init__()
        self._ids, self._given = ids, given
        self._is_done = False
        self.found: Tensor | None = None

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = kwargs or {}
        if function is not F.embedding or self._is_done or not self._is_of_ids(args[0] if args else given["input"]):
            return function(*args, **given)
        self._is_done = True
        if self._given is None:
            self.found = function(*args, **given)
            raise _FoundError
        looked_up = args[0] if args else given["input"]
        shape = (*looked_up.shape, self._given.shape[-1])
        return self._given if self._given.shape == shape else self._given.reshape(shape)

    def _is_of_ids(self, looked_up: Tensor) -> bool:
        return looked_up.numel() == self._ids.numel() and torch.equal(
            looked_up.reshape(-1).to(self._ids), self._ids.reshape(-1)
        )


@torch.no_grad()
def after_embedding(model: nn.Module, ids: Tensor) -> tuple[AfterEmbedding, Tensor]:
    """Return a model that begins after the embedding, and the rows that it looks up: samples x ... x width.

    Args:
        model: takes ids; it is called up to its first lookup of them.
        ids: samples x ..., int64 or int32.

    Raises:
        ModelError: the model fails before, or looks up none of the ids.
    """
    lookup = _Lookup(ids)
    with (
        reported(f"inputs are {ids.dtype}, taken for token ids, and the model failed on them"),
        suppress(_FoundError),
        lookup,
    ):
        model(ids.clone())
    if lookup.found is None:
        raise ModelError(
            f"inputs are {ids.dtype}, expected floating-point numbers: the model looks them up in no embedding, as it "
            "would token ids"
        )
    found = lookup.found.detach().reshape(*ids.shape, -1)
    embedded = found.float() if found.dtype.itemsize < 4 else found
    return AfterEmbedding(model, ids, embedded), embedded
