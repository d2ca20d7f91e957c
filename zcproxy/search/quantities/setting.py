"""The source of the networks of a search, and how they are measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from zcproxy.errors import ConfigurationError, check_known
from zcproxy.names.spaces import parse_options
from zcproxy.names.subjects import Subject, get_subject
from zcproxy.primitives import parse
from zcproxy.probing.expressions import looks_at_images
from zcproxy.search.quantising.quantisation import Quantisation
from zcproxy.search.quantities.combined import Combined, formulas_in
from zcproxy.training.recipe import Recipe


class Weights(StrEnum):
    """Weights that a proxy looks at: the untrained network, or the network with the weights of its super-network."""

    INITIALISATION = "initialisation"
    INHERITED = "inherited"


MOST = 1_000_000
"""Largest size or count of a setting."""


def check_weights(name: str) -> None:
    """Raise `ConfigurationError` if the name is none of `Weights`."""
    check_known("weights", name, Weights)


@dataclass(frozen=True)
class Setting:
    """The source of networks, and how they are measured.

    Attributes:
        reference: reference of the subject, see `get_subject`.
        input_shape: shape of a sample, for a space that has no dataset.
        classes: for such a space.
        space_option: options of such a space, written `name=value`.
        shared_weights: file of a super-network's trained weights; empty for those that it makes itself.
        formula: text of the proxy; empty for none.
        proxy_batch_size: samples of its minibatch.
        weights: one of `Weights`: what the proxy looks at.
        initialisation: index of the random initialisation.
        device: `cpu` or `cuda`.
        latency_batch_size: samples of a timed pass.
        latency_threads: threads of torch, for a timed pass.
        dataset: what `trained_accuracy` is measured on, see `zcproxy.benchmarks.datasets.load_dataset`.
        recipe: how networks are trained for it.
        images: token of the images that the proxy is shown, see `zcproxy.images.own`; empty for what is at
            hand.
        plugins: file and digest of each plugin that is loaded; `search` fills them in where there is a proxy.
        teacher: reference and digest of the network that the proxy reads beside those that it scores; `search` fills in
            the one that is loaded.
        proxies: what `robot` combines, see `zcproxy.search.quantities.combined.combined`.
        quantisation: bit widths that are searched beside the architecture, and how networks are quantised.
    """

    reference: str
    input_shape: tuple[int, ...] | None = None
    classes: int = 10
    shared_weights: str = ""
    formula: str = ""
    proxy_batch_size: int = 8
    weights: str = Weights.INITIALISATION
    initialisation: int = 0
    device: str = "cpu"
    latency_batch_size: int = 1
    dataset: str = ""
    recipe: Recipe = field(default_factory=Recipe)
    images: str = ""
    latency_threads: int = 1
    plugins: tuple[str, ...] = ()
    teacher: str = ""
    proxies: tuple[Combined, ...] = ()
    quantisation: Quantisation = field(default_factory=Quantisation)
    space_option: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_weights(self.weights)
        names = [each.name for each in self.proxies]
        repeated = next((name for name in names if names.count(name) > 1), None)
        if repeated is not None:
            raise ConfigurationError(f"two of `proxies` are called '{repeated}': give each a name of its own")
        shape = self.input_shape
        least = {
            "input_shape": (1 if shape is None else min(shape, default=0), 1),
            "classes": (self.classes, 2),
            "proxy_batch_size": (self.proxy_batch_size, 1),
            "latency_batch_size": (self.latency_batch_size, 1),
            "latency_threads": (self.latency_threads, 1),
            "initialisation": (self.initialisation, 0),
        }
        for name, (value, lowest) in least.items():
            if not lowest <= value <= MOST:
                raise ConfigurationError(f"{name}={str(value)[:40]} is out of range: give {lowest} to {MOST:,}")

    @property
    def formulas(self) -> list[str]:
        """Texts of all formulas: of the proxy, and of what `robot` combines."""
        return [*([self.formula] if self.formula else []), *formulas_in(self.proxies)]

    @property
    def looks_at_images(self) -> bool:
        """Whether a proxy does; functions are taken to."""
        return any(each.function for each in self.proxies) or any(
            looks_at_images(parse(text)) for text in self.formulas
        )

    def subject(self) -> Subject:
        """Return what networks are built from."""
        weights = Path(self.shared_weights) if self.shared_weights else None
        options = parse_options(self.space_option)
        return get_subject(self.reference, self.input_shape, self.classes, weights, options)
