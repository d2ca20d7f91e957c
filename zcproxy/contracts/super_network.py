"""Super-networks: weights shared by all architectures of a space, which hands out sub-networks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from zcproxy.contracts.batch import Batch, noise_batch
from zcproxy.contracts.choice_space import ChoiceSpace, Option
from zcproxy.errors import ConfigurationError, ModelError
from zcproxy.workers.progress import Progress


class SuperNetwork(ChoiceSpace):
    """The base class of a super-network of your own.

    Subclass it, set the attributes and write `sub_network`. Where there are trained weights, write `inherit` too; where
    accuracies can be measured, `validate`. It is a search space of its own: see `ChoiceSpace` for its architectures.

    Attributes:
        name: random choices and initialisations are seeded by it.
        choices: the options of each choice, by its name.
        input_shape: channels x height x width of an image, or the shape of another input.
        classes: number of logits.
    """

    input_shape: tuple[int, ...]
    classes: int

    @property
    def space(self) -> SuperNetwork:
        """The space that is searched: itself."""
        return self

    def sub_network(self, choice: Mapping[str, Option]) -> nn.Module:
        """Return an untrained sub-network, its weights from torch's current random state: the one method to write."""
        raise NotImplementedError(f"{type(self).__name__} does not say how to make a sub-network")

    def inherit(self, network: nn.Module, choice: Mapping[str, Option]) -> None:
        """Put the shared weights into a sub-network."""
        raise ConfigurationError(f"the super-network {self.name} has no weights to inherit: leave out `weights`")

    def load(self, path: Path) -> None:
        """Take trained weights from a file instead of making them. Raises `ModelError` if they do not fit."""
        raise ConfigurationError(f"the super-network {self.name} reads no file of weights: leave out `shared_weights`")

    def prepare(self, progress: Progress) -> None:
        """Make the shared weights, where they are trained on first use; called before they are needed."""

    def validate(self, network: nn.Module) -> float:
        """Return the accuracy in percent of a sub-network that has inherited its weights."""
        raise ConfigurationError(f"the super-network {self.name} measures no accuracy: it has no method `validate`")

    def batch(self, size: int) -> Batch:
        """Return a minibatch for proxies that look at images; Gaussian noise and random classes unless overridden."""
        return noise_batch(self.input_shape, self.classes, size)

    def build(self, architecture: str, input_shape: tuple[int, ...] = (), classes: int = 0) -> nn.Module:
        """Return an untrained sub-network; the input shape and the classes of the super-network hold."""
        return self.sub_network(self.decode(architecture))


def slices_of(shared: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Return the part of shared weights that a sub-network takes: the usual rule of weight sharing.

    Of each weight it takes the first channels and the centre of the kernel (Cai et al., Once-for-All, ICLR 2020,
    section 3.2, without its kernel transformation), by views: gradients reach the shared weights.

    Args:
        shared: weights of the largest network, by name.
        network: a sub-network whose weights have the same names and at most the same sizes.

    Raises:
        ModelError: a weight has no counterpart, or is larger than it.
    """
    found = {}
    for name, own in network.named_parameters():
        whole = shared.get(name)
        if whole is None or whole.dim() != own.dim() or any(a < b for a, b in zip(whole.shape, own.shape, strict=True)):
            there = "nothing of this name" if whole is None else "x".join(map(str, whole.shape))
            raise ModelError(
                f"the shared weights do not fit: '{name}' is {'x'.join(map(str, own.shape))} in a sub-network, the "
                f"super-network has {there}"
            )
        first = [slice(0, size) for size in own.shape[:2]]
        centre = [
            slice((large - small) // 2, (large - small) // 2 + small)
            for large, small in zip(whole.shape[2:], own.shape[2:], strict=True)
        ]
        found[name] = whole[tuple(first + centre)]
    return found


@torch.no_grad()
def inherit_slices(shared: Mapping[str, Tensor], network: nn.Module) -> None:
    """Copy into a sub-network its part of shared weights: see `slices_of`."""
    part = slices_of(shared, network)
    for name, own in network.named_parameters():
        own.copy_(part[name])
