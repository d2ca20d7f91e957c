"""The tensors a probe records at a layer, as leaves `name@probe` and `grad(name)@probe`.

A layer is one call of a weight-bearing module (convolution or linear). `block`, its gradient and `block_jacobian` are
recorded for each block of the network instead.
"""

from __future__ import annotations

from zcproxy.formula import REGISTRY, Kind
from zcproxy.probing.block_end import BLOCK_STATISTICS
from zcproxy.probing.derivatives import BLOCK_JACOBIAN, INFORMATION, MOTION
from zcproxy.probing.layer_call import ATTENTION, UNNORMALIZED
from zcproxy.probing.losses import SAME_CLASS
from zcproxy.probing.probes import OF_TEACHER, PROBES, Loss, Probe

ACTIVATIONS = {
    "input": "input of the layer",
    "output": "output of the layer",
    "normalized": "output of the normalisation that follows; the layer's output where there is none",
    "activation": "output after normalisation and non-linearity, where there is one",
    "features": "what was pooled over all positions before the layer; the layer's input where nothing was",
    "block": "output of a block of the network; beside a statistic of layers, NaN where the layer ends none",
    "preactivation": "input of the non-linearity that feeds the layer; the layer's input where there is none",
    UNNORMALIZED: "what was normalised before the layer; the layer's input where nothing was",
}

OF_ATTENTION = "weights of attention, samples x heads x queries x keys; NaN where the layer reads no attention"

OF_LOSS = {
    Loss.RANDOM_SIGNS: (
        BLOCK_JACOBIAN,
        Kind.WEIGHTS,
        "estimated Jacobian of a block by the block before it; NaN for the first one, 0 where it hands on its input",
    ),
    Loss.MOTION: (MOTION, Kind.NETWORK_MATRIX, "products of velocity and acceleration of the logits, 2 x 2"),
    Loss.PROBABILITIES: (INFORMATION, Kind.NETWORK_MATRIX, "Fisher information of the first element of each parameter"),
}
"""The one statistic that probes with these losses have: its name, kind and meaning."""


def add_statistics(probe: Probe) -> None:
    """Add the statistics that a probe records to the language. Raises ValueError where they are there already."""
    if probe.run.loss in OF_LOSS:
        name, kind, meaning = OF_LOSS[probe.run.loss]
        REGISTRY.add_leaf(f"{name}@{probe.name}", kind, meaning, of_blocks=name in BLOCK_STATISTICS)
        return
    if probe.stacks_gradients:
        of_each = "sample" if probe.per_sample else "sub-batch"
        REGISTRY.add_leaf(f"grad(weight)@{probe.name}", Kind.WEIGHT_SAMPLES, f"weight gradients of each {of_each}")
        return
    of_teacher = probe.name in OF_TEACHER
    if probe.run.loss == Loss.CROSS_ENTROPY and not of_teacher:
        REGISTRY.add_leaf(f"{SAME_CLASS}@{probe.name}", Kind.SAMPLE_MATRIX, "1 where two samples have the same class")
    REGISTRY.add_leaf(f"weight@{probe.name}", Kind.WEIGHTS, "weight as the probe transforms it")
    REGISTRY.add_leaf(f"grad(weight)@{probe.name}", Kind.WEIGHTS, "gradient of the probe's loss by the weight")
    for name, meaning in ACTIVATIONS.items():
        for text, explained in ((name, meaning), (f"grad({name})", f"gradient by the {meaning}")):
            of_blocks = text in BLOCK_STATISTICS
            if of_blocks and of_teacher:
                continue  # blocks of two networks have no common depth
            REGISTRY.add_leaf(f"{text}@{probe.name}", Kind.ACTIVATIONS, explained, of_blocks=of_blocks)
    REGISTRY.add_leaf(f"{ATTENTION}@{probe.name}", Kind.ACTIVATIONS, OF_ATTENTION)


REGISTRY.add_leaf("weight", Kind.WEIGHTS, "weight of the layer")
for known in PROBES.values():
    add_statistics(known)
