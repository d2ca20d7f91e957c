"""The macro space of TransNAS-Bench-101: 3,256 arrangements of four to six modules of basic blocks."""

from __future__ import annotations

from torch import nn

from zcproxy.benchmarks.shared.module_sequences import ModuleSequenceSpace
from zcproxy.benchmarks.transnas101.micro import BASE
from zcproxy.benchmarks.transnas101.network import TransNASNetwork


class MacroSpace(ModuleSequenceSpace):
    """Arrangements, written as in the official files: `64-4111-basic`, one digit per module.

    Implements `zcproxy.contracts.task.SearchSpace`.

    Args:
        base: channels after the stem; the benchmark has 64.
    """

    name = "transnas101_macro"
    before, after = f"{BASE}-", "-basic"
    lengths, halvings, doublings = range(4, 7), range(1, 5), range(1, 4)

    def __init__(self, base: int = BASE) -> None:
        self.base = base

    def build(self, architecture: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """Return the untrained network; see `TransNASNetwork` for its inputs."""
        modules = self.modules_of(architecture)
        return TransNASNetwork(self.base, modules, None, input_shape=input_shape, classes=classes)
