"""Functions of one value, element by element: the shape stays."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from zcproxy.formula import Kind, primitive, signatures
from zcproxy.primitives.arrays import MATRICES, NUMBERS, TENSORS, euclidean_norm, namespace, where_defined

EVERYTHING = signatures([(*TENSORS, Kind.SPECTRUM, *NUMBERS)])
SAMPLED = signatures([(Kind.WEIGHTS, Kind.ACTIVATIONS)])
BETWEEN = signatures([(*MATRICES, Kind.NETWORK_MATRIX)])
EZNAS = "Akhauri et al., EZNAS, NeurIPS 2022"


@primitive(*EVERYTHING, *BETWEEN, name="abs", formula="|x|")
def absolute(x: Any) -> Any:
    return abs(x)


@primitive(*EVERYTHING, *BETWEEN, formula="x^2")
def square(x: Any) -> Any:
    return x * x


@primitive(*EVERYTHING, formula="sqrt(x)", domain="x >= 0")
def sqrt(x: Any) -> Any:
    return namespace(x).sqrt(where_defined(x >= 0, x))


@primitive(*EVERYTHING, formula="ln x", domain="x > 0")
def log(x: Any) -> Any:
    return namespace(x).log(where_defined(x > 0, x))


@primitive(*EVERYTHING, formula="ln(1 + x)", domain="x > -1")
def log1p(x: Any) -> Any:
    return namespace(x).log1p(where_defined(x > -1, x))


@primitive(*EVERYTHING, formula="e^x")
def exp(x: Any) -> Any:
    return namespace(x).exp(x)


@primitive(*EVERYTHING, formula="-1, 0 or 1")
def sign(x: Any) -> Any:
    xp = namespace(x)
    return where_defined(~xp.isnan(x), xp.sign(x))


@primitive(*EVERYTHING, formula="1 / x", domain="x != 0", reference=EZNAS)
def reciprocal(x: Any) -> Any:
    return 1.0 / where_defined(x != 0, x)


@primitive(*EVERYTHING, formula="max(x, 0)", reference=EZNAS)
def relu(x: Any) -> Any:
    return 0.5 * (x + abs(x))


@primitive(*EVERYTHING, formula="1 / (1 + e^-x)", reference=EZNAS)
def sigmoid(x: Any) -> Any:
    return 0.5 * (1.0 + namespace(x).tanh(0.5 * x))


@primitive(*EVERYTHING, formula="tanh x")
def tanh(x: Any) -> Any:
    return namespace(x).tanh(x)


@primitive(*EVERYTHING, formula="1 if x > 0 else 0", reference=EZNAS)
def positive(x: Any) -> Any:
    return (x > 0) + 0.0 * x


@primitive(*EVERYTHING, formula="1 if x < 0 else 0", reference=EZNAS)
def negative(x: Any) -> Any:
    return (x < 0) + 0.0 * x


@primitive(*EVERYTHING, formula="1 if x >= 0 else 0", reference=EZNAS)
def heaviside(x: Any) -> Any:
    return (x >= 0) + 0.0 * x


@primitive(*SAMPLED, formula="1 for every element", reference=EZNAS)
def ones_like(x: Tensor) -> Tensor:
    return torch.ones_like(x)


@primitive(*SAMPLED, formula="0 for every element", reference=EZNAS)
def zeros_like(x: Tensor) -> Tensor:
    return torch.zeros_like(x)


@primitive(*SAMPLED, formula="(x - mean x) / std x", domain="std x > 0", reference=EZNAS)
def normalize(x: Tensor) -> Tensor:
    centred = x - x.mean()
    deviation = euclidean_norm(centred) / math.sqrt(x.numel())
    return centred / where_defined(deviation > 0, deviation)


@primitive(
    *SAMPLED,
    formula="(x - min x) / (max x - min x)",
    domain="x not constant",
    reference="Gracheva, Neural architecture search: two constant shared weights initialisations, AI Review 2025",
)
def rescale(x: Tensor) -> Tensor:
    least = x.min()
    span = x.max() - least
    return (x - least) / where_defined(span > 0, span)


@primitive(*SAMPLED, formula="e^x / sum e^x over each sample (or output channel)", reference=EZNAS)
def softmax(x: Tensor) -> Tensor:
    """Add up in pairs: `torch.softmax` adds one after the other, and rows may be long."""
    rows = x.flatten(1)
    shares = (rows - rows.amax(dim=1, keepdim=True)).exp()
    return (shares / shares.sum(dim=1, keepdim=True)).view_as(x)
