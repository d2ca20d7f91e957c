"""Configuration of a benchmark of your own: which networks are trained, on what data, how, and how often."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from zcproxy.contracts.choice_space import Option
from zcproxy.contracts.sampling import Sampling, check_sampling
from zcproxy.errors import ConfigurationError
from zcproxy.storage.fields import read_fields
from zcproxy.training.recipe import Recipe


@dataclass(frozen=True)
class BuildConfiguration:
    """Everything that a benchmark's table depends on.

    Attributes:
        space: see `zcproxy.names.spaces.get_space`.
        space_options: arguments of the space, such as `channels`: see `zcproxy.names.spaces.get_space`.
        dataset: see `zcproxy.benchmarks.datasets.load_dataset`.
        networks: architectures to train.
        seeds: trainings of each; the label is their mean accuracy.
        sampling: `uniform` or `stratified` (by MACs).
        seed: seed of the sample of architectures.
        recipe: how each is trained.
        device: `cpu` or `cuda`.
    """

    space: str
    dataset: str
    networks: int
    seeds: int = 3
    sampling: str = Sampling.UNIFORM
    seed: int = 0
    space_options: dict[str, Option] = field(default_factory=dict)
    recipe: Recipe = field(default_factory=Recipe)
    device: str = "cpu"

    def __post_init__(self) -> None:
        if self.networks < 2 or self.seeds < 1:
            raise ConfigurationError("`networks` must be 2 or more and `seeds` 1 or more")
        check_sampling(self.sampling)

    def as_dict(self) -> dict[str, Any]:
        """Return the configuration as JSON can hold it."""
        return asdict(self)

    @staticmethod
    def from_dict(content: object, where: str = "the stored configuration") -> BuildConfiguration:
        """Return the configuration that `as_dict` wrote. Raises `ConfigurationError` for other content of a file."""
        return read_fields(BuildConfiguration, content, where)
