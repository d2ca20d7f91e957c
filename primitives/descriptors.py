"""Descriptors of a network, known without looking at a tensor: sizes of its layers and the paths between them."""

from __future__ import annotations

from zcproxy.formula import REGISTRY, Kind
from zcproxy.probing.descriptors import LAYER_DESCRIPTORS, NETWORK_DESCRIPTORS

for name, meaning in LAYER_DESCRIPTORS.items():
    REGISTRY.add_leaf(name, Kind.LAYER, meaning)
for name, meaning in NETWORK_DESCRIPTORS.items():
    REGISTRY.add_leaf(name, Kind.NETWORK, meaning)
