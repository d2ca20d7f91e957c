"""Numbers per layer to numbers per stage, or to one number per network without what lies behind global pooling.

A stage is a run of layers of equal resolution (see `zcproxy.probing.stages`). `sum(log(stage_mean(x)))` aggregates by
one operation inside stages and by another over them.
"""

from __future__ import annotations

from typing import Any

from zcproxy.formula import Kind, Layers, Signature, primitive

BY_STAGE = Signature((Kind.LAYER,), Kind.STAGE)
BODY = Signature((Kind.LAYER,), Kind.NETWORK)
STAGES = "Radosavovic et al., Designing network design spaces, CVPR 2020: the body of a network is a row of stages"


@primitive(BY_STAGE, connected=True, formula="sum over the layers of each stage", reference=STAGES)
def stage_sum(x: Any, layers: Layers[Any]) -> Any:
    return layers.within_stages.sum(layers.in_body(x))


@primitive(BY_STAGE, connected=True, formula="mean over the layers of each stage", reference=STAGES)
def stage_mean(x: Any, layers: Layers[Any]) -> Any:
    return layers.within_stages.sum(layers.in_body(x)) / layers.within_stages.count


@primitive(BY_STAGE, connected=True, formula="smallest over the layers of each stage", reference=STAGES)
def stage_min(x: Any, layers: Layers[Any]) -> Any:
    return layers.within_stages.minimum(layers.in_body(x))


@primitive(BY_STAGE, connected=True, formula="largest over the layers of each stage", reference=STAGES)
def stage_max(x: Any, layers: Layers[Any]) -> Any:
    return layers.within_stages.maximum(layers.in_body(x))


@primitive(BODY, connected=True, formula="sum over the layers before global pooling")
def body_sum(x: Any, layers: Layers[Any]) -> Any:
    return layers.body.sum(layers.in_body(x))


@primitive(BODY, connected=True, formula="mean over the layers before global pooling")
def body_mean(x: Any, layers: Layers[Any]) -> Any:
    return layers.body.sum(layers.in_body(x)) / layers.body.count


@primitive(BODY, connected=True, formula="smallest over the layers before global pooling")
def body_min(x: Any, layers: Layers[Any]) -> Any:
    return layers.body.minimum(layers.in_body(x))


@primitive(BODY, connected=True, formula="largest over the layers before global pooling")
def body_max(x: Any, layers: Layers[Any]) -> Any:
    return layers.body.maximum(layers.in_body(x))
