"""Synaptic flow: product of all weights along all paths."""

from zcproxy.primitives.zoo.published import Published

PROXY = Published(
    name="synflow",
    formula="sum(sum(grad(weight)@ones * weight@ones))",
    paper="Tanaka et al., Pruning neural networks without any data, NeurIPS 2020; Abdelfattah et al., ICLR 2021",
)
