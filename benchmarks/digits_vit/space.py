"""The space of small vision transformers: patch, width, heads, depth and width of the feed-forward parts."""

from __future__ import annotations

from typing import ClassVar

from torch import nn

from zcproxy.benchmarks.digits_vit.network import VisionTransformer
from zcproxy.contracts.choice_space import ChoiceSpace
from zcproxy.errors import BenchmarkError


class ViTSpace(ChoiceSpace):
    """Transformers written `patch=3 width=24 heads=2 depth=3 ratio=2`.

    Implements `zcproxy.contracts.task.SearchSpace`.
    """

    name = "digits_vit"
    choices: ClassVar = {
        "patch": (2, 3, 4, 6),
        "width": (8, 16, 24),
        "heads": (1, 2, 4, 8),
        "depth": (1, 2, 3),
        "ratio": (1, 2, 4),
    }

    def build(self, architecture: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """Return the untrained network.

        Raises:
            BenchmarkError: the inputs are not images whose height and width the patch divides.
        """
        own = {choice: int(option) for choice, option in self.decode(architecture).items()}
        if len(input_shape) != 3 or input_shape[1] % own["patch"] or input_shape[2] % own["patch"]:
            raise BenchmarkError(
                f"'{architecture}' takes images whose height and width {own['patch']} divides, not {input_shape}"
            )
        return VisionTransformer(
            input_shape,
            classes,
            patch=own["patch"],
            width=own["width"],
            heads=own["heads"],
            depth=own["depth"],
            ratio=own["ratio"],
        )
