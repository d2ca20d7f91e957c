"""Subjects of a search by reference: a task, a space, or a super-network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from torch import nn

from zcproxy.benchmarks.catalogue import benchmarks
from zcproxy.contracts.batch import Batch, noise_batch
from zcproxy.contracts.choice_space import Option
from zcproxy.contracts.measurements import Measurements
from zcproxy.contracts.super_network import SuperNetwork
from zcproxy.contracts.task import SearchSpace
from zcproxy.errors import BenchmarkError, ConfigurationError, unknown
from zcproxy.images.image_sets import NOISE, ImageSet
from zcproxy.names.spaces import get_space, space_names
from zcproxy.names.tasks import UnknownTaskError, get_task, task_names
from zcproxy.user_code.references import load_object, made_by


def super_networks() -> dict[str, Callable[[], SuperNetwork]]:
    """Return what makes the super-networks of the package, by name."""
    return {name: make for benchmark in benchmarks().values() for name, make in benchmark.super_networks.items()}


class Subject(Protocol):
    """A source of networks. Every `zcproxy.contracts.task.Task` and every `SuperNetwork` is one."""

    name: str
    input_shape: tuple[int, ...]
    classes: int

    @property
    def space(self) -> SearchSpace:
        """The architectures."""
        ...

    def build(self, architecture: str) -> nn.Module:
        """Return the untrained network, initialised from torch's current random state."""
        ...

    def batch(self, size: int) -> Batch:
        """Return a minibatch for proxies that look at images."""
        ...


class BareSpace:
    """A space without a dataset: networks for inputs of one shape, and noise for proxies that look at images.

    Args:
        space: the architectures.
        input_shape: shape of one sample.
        classes: number of logits.
        measurements: returns what was published of the networks; None for nothing.
    """

    def __init__(
        self,
        space: SearchSpace,
        input_shape: tuple[int, ...],
        classes: int,
        measurements: Callable[[], Measurements] | None = None,
    ) -> None:
        self.space, self.input_shape, self.classes = space, input_shape, classes
        self.name, self.measurements = space.name, measurements
        self.vocabulary: int = getattr(space, "vocabulary", 0)

    def build(self, architecture: str) -> nn.Module:
        """Return the untrained network."""
        return self.space.build(architecture, self.input_shape, self.classes)

    def batch(self, size: int) -> Batch:
        """Return Gaussian inputs, or random token ids, and random classes."""
        return noise_batch(self.input_shape, self.classes, size, self.vocabulary)

    def image_set(self, chosen: str = "") -> ImageSet:
        """Return what minibatches are made of, whatever was chosen before."""
        shown = "random token ids" if self.vocabulary else "Gaussian noise"
        return ImageSet(NOISE, shown, "to use others, give `images`")


def get_subject(
    reference: str,
    input_shape: tuple[int, ...] | None = None,
    classes: int = 10,
    shared_weights: Path | None = None,
    space_options: Mapping[str, Option] | None = None,
) -> Subject:
    """Return what is to be searched.

    Args:
        reference: a super-network of the package (`elastic_digits`), a task (`nasbench201/cifar10`), a folder of a
            benchmark, a space (`ofa_resnet50`), or `package.module:name` of a super-network, space or task.
        input_shape: shape of a sample, for a space that has no dataset.
        classes: logits, for such a space.
        shared_weights: file of trained weights, for a super-network.
        space_options: arguments of such a space.

    Raises:
        BenchmarkError: there is nothing of this name.
        ConfigurationError: a space comes without an input shape, or a module or attribute does not exist; weights are
            given for something that takes none.
        ModelError: making the super-network fails, or the weights do not fit.
    """
    known = super_networks()
    is_space = reference in space_names()
    if reference in known or (":" in reference and not Path(reference).is_dir()):
        made = known[reference] if reference in known else load_object(reference)
        if isinstance(made, type) and issubclass(made, SuperNetwork):
            made = made_by(reference, made)
        if isinstance(made, SuperNetwork):
            _check_no_options(reference, space_options)
            if shared_weights is not None:
                made.load(shared_weights)
            return made
    if shared_weights is not None:
        raise ConfigurationError(f"{reference} is not a super-network: leave out `shared_weights`")
    if is_space and input_shape is None:
        raise ConfigurationError(
            f"{reference} is a space without a dataset: give `input_shape`, for example 3x32x32, or name a task"
        )
    if input_shape is not None:
        return BareSpace(get_space(reference, space_options), input_shape, classes, _measurements_of(reference))
    _check_no_options(reference, space_options)
    try:
        return get_task(reference)
    except UnknownTaskError as error:
        names = [*known, *task_names(), *space_names()]
        advice = "`zcproxy benchmark list` shows the known ones; otherwise write package.module:name of your own"
        raise BenchmarkError(unknown("task, space or super-network", reference, names, advice)) from error


def _check_no_options(reference: str, space_options: Mapping[str, Option] | None) -> None:
    """Refuse options of a space where no space is made."""
    if space_options:
        raise ConfigurationError(f"{reference} is not a space without a dataset: leave out `space_option`")


def _measurements_of(space: str) -> Callable[[], Measurements] | None:
    found = (benchmark.measurements.get(space) for benchmark in benchmarks().values())
    return next(filter(None, found), None)
