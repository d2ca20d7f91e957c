"""Attention in a forward pass: the layers that make and read it, its weights, and what stood before a normalisation.

Queries, keys and values are followed from the layers that yield them through views, scalings, rotations, normalisations
and concatenations to the products of attention, and what attention collects from there, also concatenated, to the layer
that reads it. Attention is a call of `scaled_dot_product_attention`, or a softmax whose result is multiplied with data:
`torch.nn.MultiheadAttention`, whose fast path is not taken while calls are observed, comes down to one of the two.
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
    PRODUCTS,
    SUMS,
    Function,
    bound,
    functions_named,
)
from zcproxy.probing.origins import tensors_in

SOFTMAXES = functions_named("softmax", "_softmax", "softmin")
CONCATENATIONS = functions_named("cat", "concat", "concatenate", "stack", "hstack", "vstack", "dstack", "column_stack")
_SCALINGS = (
    PRODUCTS | SUMS | functions_named("sub", "subtract", "__sub__", "div", "divide", "true_divide", "__truediv__")
)
"""Elementwise operations by which queries and keys are rotated or scaled."""

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
        self._projected: ByTensor[Sequence[LayerCall]] = ByTensor()
        self._weights: ByTensor[Tensor] = ByTensor()
        self._collected: ByTensor[Sequence[Deferred]] = ByTensor()
        self._unnormalized: ByTensor[Slot] = ByTensor()

    def add_layer(self, call: LayerCall, data: Tensor, output: Tensor) -> None:
        """Note what a layer reads, and that it yields a tensor."""
        collected, unnormalized = self._collected.get(data), self._unnormalized.get(data)
        if collected is not None:
            call.slots[ATTENTION], call.in_attention = Deferred(partial(joined_weights, collected)), True
        if unnormalized is not None:
            call.slots[UNNORMALIZED] = unnormalized
        self.add_projection(call, output)

    def add_projection(self, call: LayerCall, output: Tensor) -> None:
        """Note that a layer yields a tensor: what it made before, and its bias."""
        self._projected.set(output, [call])

    def add_normalisation(self, before: Slot, inputs: Tensor, output: Tensor) -> None:
        """Note what a normalisation took."""
        self._unnormalized.set(output, before)
        _handed_on(self._projected, inputs, [output])

    def add_operation(self, function: Function, args: Sequence[Any], kwargs: Mapping[str, Any], result: Any) -> None:
        """Note an operation that is neither a layer nor a normalisation."""
        if function is F.scaled_dot_product_attention:
            given = bound(_SDPA, args, kwargs)
            parts = [given[name] for name in _SDPA[:3]]
            kept = {name: value.detach() if isinstance(value, Tensor) else value for name, value in given.items()}
            self._collect(parts, result, Deferred(partial(attention_weights, kept)))
            return
        tensors = list(tensors_in((*args, *kwargs.values())))
        if function in CONCATENATIONS and isinstance(result, Tensor):
            self._concatenate(tensors, result)
        elif function in SOFTMAXES and len(tensors) == 1 and isinstance(result, Tensor):
            self._weights.set(result, result.detach())
        elif function in MATRIX_PRODUCTS and isinstance(result, Tensor):
            weights = next((found for found in map(self._weights.get, tensors) if found is not None), None)
            if weights is not None:
                self._collect(tensors, result, Deferred(lambda: weights))
            elif sum(self._projected.get(tensor) is not None for tensor in tensors) > 1:
                self._mark(tensors)
        elif len(tensors) == 1 and function not in _STOPS:
            self._follow(tensors[0], result)
        elif function in _SCALINGS and isinstance(result, Tensor):
            self._combine(tensors, result)

    def _collect(self, parts: Sequence[Tensor], result: Tensor, weights: Deferred) -> None:
        self._mark(parts)
        self._collected.set(result, [weights])

    def _mark(self, tensors: Sequence[Tensor]) -> None:
        for call in _of_all(self._projected, tensors):
            call.in_attention = True

    def _follow(self, tensor: Tensor, result: Any) -> None:
        """Let what an operation makes of one tensor count as that tensor."""
        results = result if isinstance(result, list | tuple) else [result]
        for known in (self._projected, self._weights, self._collected, self._unnormalized):
            _handed_on(known, tensor, results)

    def _concatenate(self, tensors: Sequence[Tensor], result: Tensor) -> None:
        """Let a concatenation count as all its parts; as weights of attention only where all parts are such."""
        for known in (self._projected, self._collected):
            found = _of_all(known, tensors)
            if found:
                known.set(result, found)
        if all(self._weights.get(tensor) is not None for tensor in tensors):
            self._weights.set(result, result.detach())

    def _combine(self, tensors: Sequence[Tensor], result: Tensor) -> None:
        """Let a rotation of queries or keys, a sum of products with numbers, count as these.

        A sum of what several layers yield counts as none of them.
        """
        found = [calls for calls in map(self._projected.get, tensors) if calls is not None]
        if found and all([*map(id, calls)] == [*map(id, found[0])] for calls in found):
            self._projected.set(result, found[0])


def _of_all(known: ByTensor[Any], tensors: Sequence[Tensor]) -> list[Any]:
    """Return what is known of any of some tensors, each item once."""
    return list({id(item): item for tensor in tensors for item in known.get(tensor) or ()}.values())


def _handed_on(known: ByTensor[Any], tensor: Tensor, results: Sequence[Any]) -> None:
    found = known.get(tensor)
    if found is not None:
        for item in results:
            if isinstance(item, Tensor):
                known.set(item, found)


def joined_weights(parts: Sequence[Slot]) -> Tensor:
    """Return the weights of several attentions as those of the heads of one: samples x heads x queries x keys.

    Of parts that differ in queries or keys those with most count: a convolution whose kernels are a softmax stands
    beside attention in ConvBERT.

    Args:
        parts: weights of each: samples x queries x keys, or samples x heads x queries x keys.
    """
    weights = [part.value for part in parts]
    if len(weights) == 1:
        return weights[0]
    largest = max(weights, key=lambda each: each.shape[-2:].numel())
    fitting = [each for each in weights if each.shape[-2:] == largest.shape[-2:] and each.dim() == largest.dim()]
    return torch.stack(fitting, -3) if largest.dim() < 4 else torch.cat(fitting, -3)


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
