"""Numbers per layer to one number per network, over all paths from input to output.

The expected sum over a path drawn at random is `sum(x * path_share)`, the sum over the longest paths alone
`sum(x * longest_path_share)`, and `sum(x) / longest_path` is a sum that does not count depth.
"""

from __future__ import annotations

from typing import Any

from zcproxy.formula import Kind, Layers, Signature, primitive
from zcproxy.primitives.arrays import namespace, where_defined

OVER_PATHS = Signature((Kind.LAYER,), Kind.NETWORK)
TRACED = "a graph leads from input to output"


@primitive(
    OVER_PATHS,
    connected=True,
    formula="ln of the sum over paths of the product of x along each",
    domain=f"every x > 0; {TRACED}",
    reference="Gebhart et al., A unified paths perspective for pruning at initialization, 2021: the path kernel",
)
def path_kernel(x: Any, layers: Layers[Any]) -> Any:
    return layers.paths.log_sum(namespace(x).log(where_defined(x > 0, x)))


@primitive(
    OVER_PATHS,
    connected=True,
    formula="largest over paths of the smallest x along each",
    domain=TRACED,
    reference="Pollack, The maximum capacity through a network, Operations Research 1960",
)
def bottleneck_path(x: Any, layers: Layers[Any]) -> Any:
    return layers.paths.largest_minimum(x)


@primitive(
    OVER_PATHS,
    connected=True,
    formula="largest over paths of the sum of x along each",
    domain=TRACED,
    reference="Kelley and Walker, Critical-path planning and scheduling, 1959",
)
def heaviest_path(x: Any, layers: Layers[Any]) -> Any:
    return layers.paths.largest_sum(x)
