"""Numbers per layer (or per stage) to one number per network, over live layers (see `zcproxy.probing.structure`)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from zcproxy.formula import Kind, Layers, Signature, primitive, signatures
from zcproxy.primitives.arrays import inner_products, namespace, where_defined

AGGREGATE = signatures([(Kind.LAYER, Kind.STAGE)], Kind.NETWORK)
WEIGHTED = [pair for kind in (Kind.LAYER, Kind.STAGE) for pair in signatures([kind, kind], Kind.NETWORK)]
NASWOT = "Mellor et al., Neural architecture search without training, ICML 2021"


def _missing(x: Any) -> Any:
    """Return 1 where x is NaN, 0 elsewhere, with the dtype of x."""
    xp = namespace(x)
    return xp.where(xp.isnan(x), xp.ones_like(x), xp.zeros_like(x))


def _defined_sum(x: Any, layers: Layers[Any]) -> Any:
    xp = namespace(x)
    total = layers.sum(xp.where(xp.isnan(x), xp.zeros_like(x), x))
    return where_defined(layers.sum(1.0 - _missing(x)) > 0, total)


@primitive(*AGGREGATE, name="sum", formula="sum over layers")
def sum_over_layers(x: Any, layers: Layers[Any]) -> Any:
    return layers.sum(x)


@primitive(*AGGREGATE, name="mean", formula="mean over layers")
def mean_over_layers(x: Any, layers: Layers[Any]) -> Any:
    return layers.sum(x) / layers.count


@primitive(*AGGREGATE, name="nansum", formula="sum over the layers where x is defined", domain="one layer or more")
def sum_over_defined_layers(x: Any, layers: Layers[Any]) -> Any:
    return _defined_sum(x, layers)


@primitive(*AGGREGATE, name="nanmean", formula="mean over the layers where x is defined", domain="one layer or more")
def mean_over_defined_layers(x: Any, layers: Layers[Any]) -> Any:
    return _defined_sum(x, layers) / layers.sum(1.0 - _missing(x))


@primitive(*AGGREGATE, name="min", formula="smallest over layers")
def min_over_layers(x: Any, layers: Layers[Any]) -> Any:
    return layers.minimum(x)


@primitive(*AGGREGATE, name="max", formula="largest over layers")
def max_over_layers(x: Any, layers: Layers[Any]) -> Any:
    return layers.maximum(x)


@primitive(*AGGREGATE, name="std", formula="standard deviation over layers")
def std_over_layers(x: Any, layers: Layers[Any]) -> Any:
    mean = layers.sum(x) / layers.count
    centred = x - layers.broadcast(mean)
    return namespace(x).sqrt(layers.sum(centred * centred) / layers.count)


@primitive(*AGGREGATE, name="median", formula="median over layers")
def median_over_layers(x: Any, layers: Layers[Any]) -> Any:
    return layers.median(x)


@primitive(*AGGREGATE, name="first", formula="value of the first layer")
def first_layer(x: Any, layers: Layers[Any]) -> Any:
    return layers.first(x)


@primitive(*AGGREGATE, name="last", formula="value of the last layer")
def last_layer(x: Any, layers: Layers[Any]) -> Any:
    return layers.last(x)


@primitive(*AGGREGATE, formula="ln of the sum over layers", domain="sum > 0")
def log_sum(x: Any, layers: Layers[Any]) -> Any:
    total = layers.sum(x)
    return namespace(x).log(where_defined(total > 0, total))


@primitive(*AGGREGATE, formula="sum over layers of ln x", domain="every x > 0")
def sum_log(x: Any, layers: Layers[Any]) -> Any:
    return layers.sum(namespace(x).log(where_defined(x > 0, x)))


@primitive(*AGGREGATE, formula="least-squares slope of x over relative depth in [0, 1]", domain="two layers or more")
def slope(x: Any, layers: Layers[Any]) -> Any:
    depth = layers.relative_depth(x)
    centred = depth - layers.broadcast(layers.sum(depth) / layers.count)
    spread = layers.sum(centred * centred)
    return layers.sum(centred * x) / where_defined(spread > 0, spread)


@primitive(
    *AGGREGATE,
    formula="smallest difference between a layer that is not NaN and the one before it that is not",
    domain="two such layers or more",
    reference="Lee and Ham, AZ-NAS, CVPR 2024",
)
def nanleast_step(x: Any, layers: Layers[Any]) -> Any:
    xp = namespace(x)
    is_known = _missing(x) == 0
    number = xp.cumsum(is_known, 0)
    known = xp.concatenate([x[is_known], x[:1], x[:1]])  # two more, for layers that none is known before
    first = layers.broadcast(layers.minimum(xp.where(is_known, 1.0 * number, xp.inf)))
    steps = xp.where(is_known & (number > first), x - known[number - 2], xp.inf)
    return where_defined(layers.sum(1.0 - _missing(x)) > 1, layers.minimum(steps))


@primitive(*WEIGHTED, formula="sum w x / sum w over layers", domain="sum w != 0")
def weighted_mean(x: Any, weight: Any, layers: Layers[Any]) -> Any:
    total = layers.sum(weight)
    return layers.sum(weight * x) / where_defined(total != 0, total)


def _ramp(x: Any, layers: Layers[Any], depth: Any) -> Any:
    """Return the mean of x with the weights 1 + (layers - 1) depth."""
    weight = 1.0 + layers.broadcast(layers.count - 1.0) * depth
    return layers.sum(weight * x) / layers.sum(weight)


@primitive(*AGGREGATE, formula="sum w x / sum w over layers, w = 1, 2, 3, ...: later layers weigh more")
def rising_mean(x: Any, layers: Layers[Any]) -> Any:
    return _ramp(x, layers, layers.relative_depth(x))


@primitive(*AGGREGATE, formula="sum w x / sum w over layers, w = ..., 3, 2, 1: earlier layers weigh more")
def falling_mean(x: Any, layers: Layers[Any]) -> Any:
    return _ramp(x, layers, 1.0 - layers.relative_depth(x))


@primitive(
    Signature((Kind.LAYER, Kind.NETWORK), Kind.NETWORK),
    formula="x of the layer nearest to relative depth q",
    domain="0 <= q <= 1",
)
def at_depth(x: Any, q: Any, layers: Layers[Any]) -> Any:
    return layers.at_depth(x, q)


@primitive(
    Signature((Kind.SAMPLE_MATRIX,), Kind.NETWORK_MATRIX), formula="sum of the matrices over layers", reference=NASWOT
)
def layer_sum(matrices: Tensor) -> Tensor:
    """Take the matrices of all layers, stacked along the first axis."""
    return matrices.sum(dim=0)


@primitive(
    Signature((Kind.SAMPLE_MATRIX,), Kind.NETWORK_MATRIX),
    formula="sum of 2^(l - L) M_l over the layers l = 1 ... L: each counts twice as much as the one before it",
    reference="Jing et al., Zero-shot NAS with weighted response correlation, Neurocomputing 2025",
)
def doubling_sum(matrices: Tensor) -> Tensor:
    """Take the matrices of all layers, stacked along the first axis."""
    places = torch.arange(1 - len(matrices), 1, dtype=matrices.dtype, device=matrices.device)
    return (matrices * torch.exp2(places)[:, None, None]).sum(dim=0)


@primitive(
    Signature((Kind.ACTIVATIONS,), Kind.NETWORK_MATRIX),
    formula="x_l . x_m between layers",
    domain="the same shape in all layers",
    reference="Tybl and Neumann, VKDNW, CVPR 2025",
)
def layer_gram(x: Tensor) -> Tensor:
    """Take the tensors of all layers, stacked along the first axis."""
    rows = x.flatten(1)
    return inner_products(rows, rows)
