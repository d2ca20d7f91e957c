"""Attention in a forward pass: the layers that make and read it, its weights, and what stood before a normalisation.

Queries, keys and values are followed from the layers that yield them through views and scalings to the products of
attention, and what attention collects from there to the layer that reads it. Attention is a call of
`scaled_dot_product_attention`, or a softmax whose result is multiplied with data: `torch.nn.MultiheadAttention`, whose
fast path is not taken while calls are observed, comes down to one of the two.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch._C import DisableTorchFunction

from zcproxy.probing.by_tensor import ByTensor
from zcproxy.probing.layer_call import ATTENTION, UNNORMALIZED, LayerCall, Slot
from zcproxy.probing.operations import (
    MATRIX_PRODUCTS,
    NON_LINEARITIES,
    NORMALISATIONS,
    POOLINGS,
    Function,
    bound,
    functions_named,
)

SOFTMAXES = functions_named("softmax", "_softmax", "softmin")
_SDPA = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal", "scale", "enable_gqa")
_STOPS = NON_LINEARITIES | POOLINGS | MATRIX_PRODUCTS | SOFTMAXES | frozenset(NORMALISATIONS)
"""Operations on one tensor whose result is not that tensor in another arrangement or scale."""


class Deferred(Slot):
    """A slot whose tensor is computed where it is asked for; no gradient is known.

    Args:
        compute: returns the tensor.
    """

    def __init__(self, compute: Callable[[], Tensor]) -> None:
        self._compute = compute
        self.edge = None

    @property
    def value(self) -> Tensor:  # type: ignore[override]  # computed, not kept
        """The tensor."""
        return self._compute()


class Attending:
    """Follows attention and normalisations through one forward pass, and notes them at the layers."""

    def __init__(self) -> None:
        self._projected: ByTensor[LayerCall] = ByTensor()
        self._weights: ByTensor[Tensor] = ByTensor()
        self._collected: ByTensor[Deferred] = ByTensor()
        self._unnormalized: ByTensor[Slot] = ByTensor()

    def add_layer(self, call: LayerCall, data: Tensor, output: Tensor) -> None:
        """Note what a layer reads, and that it yields a tensor."""
        collected, unnormalized = self._collected.get(data), self._unnormalized.get(data)
        if collected is not None:
            call.slots[ATTENTION], call.in_attention = collected, True
        if unnormalized is not None:
            call.slots[UNNORMALIZED] = unnormalized
        self.add_projection(call, output)

    def add_projection(self, call: LayerCall, output: Tensor) -> None:
        """Note that a layer yields a tensor: what it made before, and its bias."""
        self._projected.set(output, call)

    def add_normalisation(self, before: Slot, output: Tensor) -> None:
        """Note what a normalisation took."""
        self._unnormalized.set(output, before)

    def add_operation(self, function: Function, args: Sequence[Any], kwargs: Mapping[str, Any], result: Any) -> None:
        """Note an operation that is neither a layer nor a normalisation."""
        if function is F.scaled_dot_product_attention:
            given = bound(_SDPA, args, kwargs)
            parts = [given[name] for name in _SDPA[:3]]
            kept = {name: value.detach() if isinstance(value, Tensor) else value for name, value in given.items()}
            self._collect(parts, result, Deferred(partial(attention_weights, kept)))
            return
        tensors = [value for value in (*args, *kwargs.values()) if isinstance(value, Tensor)]
        if function in SOFTMAXES and len(tensors) == 1 and isinstance(result, Tensor):
            self._weights.set(result, result.detach())
        elif function in MATRIX_PRODUCTS and isinstance(result, Tensor):
            weights = next((found for found in map(self._weights.get, tensors) if found is not None), None)
            if weights is not None:
                self._collect(tensors, result, Deferred(lambda: weights))
            elif sum(self._projected.get(tensor) is not None for tensor in tensors) > 1:
                self._mark(tensors)
        elif len(tensors) == 1 and function not in _STOPS:
            self._follow(tensors[0], result)

    def _collect(self, parts: Sequence[Tensor], result: Tensor, weights: Deferred) -> None:
        self._mark(parts)
        self._collected.set(result, weights)

    def _mark(self, tensors: Sequence[Tensor]) -> None:
        for tensor in tensors:
            call = self._projected.get(tensor)
            if call is not None:
                call.in_attention = True

    def _follow(self, tensor: Tensor, result: Any) -> None:
        """Let what an operation makes of one tensor count as that tensor."""
        results = result if isinstance(result, list | tuple) else [result]
        for known in (self._projected, self._weights, self._collected, self._unnormalized):
            _handed_on(known, tensor, results)


def _handed_on(known: ByTensor[Any], tensor: Tensor, results: Sequence[Any]) -> None:
    found = known.get(tensor)
    if found is not None:
        for item in results:
            if isinstance(item, Tensor):
                known.set(item, found)


def attention_weights(given: Mapping[str, Any]) -> Tensor:
    """Return the weights of a call of `scaled_dot_product_attention`: samples x ... x queries x keys.

    Args:
        given: the arguments of the call by name.
    """
    with DisableTorchFunction(), torch.no_grad():
        query, key, mask = given["query"], given["key"], given.get("attn_mask")
        if given.get("enable_gqa") and query.dim() > 2:
            key = key.repeat_interleave(query.shape[-3] // key.shape[-3], -3)
        scale = given.get("scale")
        scores = query @ key.mT * (1.0 / math.sqrt(query.shape[-1]) if scale is None else scale)
        if given.get("is_causal"):
            future = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
            scores = scores.masked_fill(future, -math.inf)
        if mask is not None:
            scores = scores.masked_fill(~mask, -math.inf) if mask.dtype == torch.bool else scores + mask
        return scores.softmax(-1)
