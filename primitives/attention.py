"""Maxima along one axis, which proxies for transformers are written with."""

from __future__ import annotations

from torch import Tensor

from zcproxy.formula import Kind, Signature, primitive

ONE = Signature((Kind.ACTIVATIONS,), Kind.ACTIVATIONS)


@primitive(
    ONE,
    formula="largest along the last axis: of attention the weight of the most attended key, per query",
    reference="Voita et al., Analyzing multi-head self-attention, ACL 2019",
)
def row_max(x: Tensor) -> Tensor:
    return x.amax(-1)


@primitive(
    ONE,
    formula="largest along the axis behind the samples: over tokens where channels are last",
    reference="Serianni and Kalita, Training-free neural architecture search for RNNs and Transformers, ACL 2023",
)
def token_max(x: Tensor) -> Tensor:
    return x.amax(1) if x.dim() > 2 else x.clone()
