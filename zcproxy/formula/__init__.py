"""The formula language: typed expression trees with one canonical text."""

from zcproxy.formula.axes import is_per_block as is_per_block
from zcproxy.formula.connections import Connections as Connections
from zcproxy.formula.kinds import Kind as Kind, Signature as Signature, signatures as signatures
from zcproxy.formula.layers import Blocks as Blocks, Layers as Layers, RaggedLayers as RaggedLayers
from zcproxy.formula.registry import (
    REGISTRY as REGISTRY,
    Primitive as Primitive,
    Registry as Registry,
    primitive as primitive,
    vocabulary as vocabulary,
)
from zcproxy.formula.text import MAXIMUM_DEPTH as MAXIMUM_DEPTH, parse as parse
from zcproxy.formula.tree import Node as Node, constant as constant, replace_at as replace_at
