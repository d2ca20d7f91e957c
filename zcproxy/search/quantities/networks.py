"""Quantities that take a network to be built: its costs, a proxy's score, an accuracy."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn

from zcproxy.benchmarks.datasets import load_dataset
from zcproxy.columns.table import table_of
from zcproxy.contracts.batch import Batch
from zcproxy.contracts.super_network import SuperNetwork
from zcproxy.errors import ConfigurationError, ModelError, check_known
from zcproxy.formula.evaluate import Evaluator
from zcproxy.images.minibatch import blank_batch, minibatch
from zcproxy.models.costs import count_costs
from zcproxy.models.device import DeviceMemoryError, enough_memory
from zcproxy.models.initialisation import OWN
from zcproxy.models.untrained import untrained
from zcproxy.names.subjects import Subject, get_subject
from zcproxy.primitives import parse
from zcproxy.probing.beside import reads_teacher
from zcproxy.probing.expressions import looks_at_images
from zcproxy.probing.isolation import own_state
from zcproxy.probing.measure import measure
from zcproxy.probing.recorder import reported
from zcproxy.probing.teacher import teacher_of
from zcproxy.proxy.function import FunctionProxy
from zcproxy.proxy.proxy import Proxy
from zcproxy.random import derive_seed
from zcproxy.search.goals import ACCURACY, PROXY, TRAINED_ACCURACY
from zcproxy.search.quantities.combined import Combined, by_setting, formulas_in
from zcproxy.search.quantities.latency import measure_latency
from zcproxy.search.quantities.memory import peak_activation_bytes
from zcproxy.storage.notices import notice
from zcproxy.text.visible import shortened
from zcproxy.training.recipe import Recipe
from zcproxy.training.train import train
from zcproxy.user_code.chosen_teacher import chosen_teacher
from zcproxy.workers.pool import single_threaded


class Weights(StrEnum):
    """Weights that a proxy looks at: the untrained network, or the network with the weights of its super-network."""

    INITIALISATION = "initialisation"
    INHERITED = "inherited"


LONGEST_NAME = 80
"""Characters of a network's name in messages."""

MOST = 1_000_000
"""Largest size or count of a setting."""
PARAMS, MACS, PEAK_MEMORY, LATENCY = "params", "macs", "peak_memory_mb", "latency_ms"
LATENCY_SPREAD = "latency_ms_spread"
"""Interquartile range of the runs; noted beside the latency."""


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
        return get_subject(self.reference, self.input_shape, self.classes, weights)


@dataclass(frozen=True)
class NetworkMeasurer:
    """Builds and measures networks.

    Attributes:
        subject: what networks are built from.
        setting: how they are measured.
    """

    subject: Subject
    setting: Setting

    def network(self, architecture: str, *, inherited: bool = False, rule: str = OWN) -> nn.Module:
        """Return a network: untrained, its weights drawn by a rule, or with the weights of its super-network."""
        subject = self.subject
        network = untrained(subject.build, subject.space.name, architecture, self.setting.initialisation, rule)
        if inherited:
            super_network = self.super_network()
            with reported(f"'{architecture}' cannot inherit weights"):
                super_network.inherit(network, super_network.decode(architecture))
        return network

    def super_network(self) -> SuperNetwork:
        """Return the subject as a super-network. Raises `ConfigurationError` if it is none."""
        if not isinstance(self.subject, SuperNetwork):
            raise ConfigurationError(f"{self.subject.name} is not a super-network: it has no weights to inherit")
        return self.subject

    def params_and_macs(self, architecture: str) -> dict[str, float]:
        """Return parameters, and multiply-adds for one sample."""
        costs = count_costs(self.network(architecture), self.subject.input_shape)
        return {PARAMS: float(costs.params), MACS: float(costs.macs)}

    def memory(self, architecture: str) -> dict[str, float]:
        """Return peak activation memory for one sample in millions of bytes."""
        return {PEAK_MEMORY: peak_activation_bytes(self.network(architecture), self.subject.input_shape) / 1e6}

    def latency(self, architecture: str) -> dict[str, float]:
        """Return the median latency on this machine and its spread."""
        setting = self.setting
        found = measure_latency(
            self.network(architecture),
            self.subject.input_shape,
            batch_size=setting.latency_batch_size,
            device=setting.device,
            threads=setting.latency_threads,
        )
        return {LATENCY: found.median, LATENCY_SPREAD: found.spread}

    def score(self, architecture: str) -> dict[str, float]:
        """Return the proxy's score; NaN where it is undefined or the network fails."""
        setting = self.setting
        proxy = _proxy(setting.formula)
        seen = self._seen(architecture, setting.proxy_batch_size, OWN, images=proxy.needs_images)
        return {PROXY: self._called(proxy, architecture, *seen)}

    def formulas(self, architecture: str) -> dict[str, float]:
        """Return what each formula that `robot` combines gives, by the name of its quantity."""
        return {
            name: score
            for (size, rule), texts in by_setting(self.setting.proxies).items()
            for name, score in self._together(architecture, texts, size, rule).items()
        }

    def functions(self, architecture: str) -> dict[str, float]:
        """Return what each function that `robot` combines gives, on a network and a minibatch of its own."""
        found = {}
        for each in self.setting.proxies:
            if each.function:
                proxy = FunctionProxy(each.name, each.function, each.batch_size)
                network, batch = self._seen(architecture, each.batch_size, OWN, images=True)
                with own_state(torch.device(self.setting.device)):
                    torch.manual_seed(
                        derive_seed("function", proxy.reference, architecture, self.setting.initialisation)
                    )
                    found[each.quantities[0]] = self._called(proxy, architecture, network, batch)
        return found

    def _together(self, architecture: str, texts: Mapping[str, str], samples: int, rule: str) -> dict[str, float]:
        """Return the scores of formulas, by name, from one measurement of a network; NaN where it fails."""
        proxies = {name: _proxy(text) for name, text in texts.items()}
        images = any(proxy.needs_images for proxy in proxies.values())
        columns = list(dict.fromkeys(column for proxy in proxies.values() for column in proxy.formula.columns()))
        beside = teacher_of(chosen_teacher()) if any(map(reads_teacher, columns)) else None
        network, batch = self._seen(architecture, samples, rule, images=images)
        try:
            with self._on_device(network, batch) as inputs_and_targets:
                table = table_of([measure(network, *inputs_and_targets, columns, beside=beside)], columns)
        except ModelError as error:
            _say_too_large(architecture, error)
            return dict.fromkeys(texts, math.nan)
        evaluator = Evaluator(table.counts, table.values, table.blocks, table.connections)
        return {name: float(evaluator(proxy.formula)[0]) for name, proxy in proxies.items()}

    def _called(self, proxy: Proxy | FunctionProxy, architecture: str, network: nn.Module, batch: Batch) -> float:
        try:
            with self._on_device(network, batch) as inputs_and_targets:
                return proxy(network, *inputs_and_targets)
        except ModelError as error:
            _say_too_large(architecture, error)
            return math.nan

    @contextmanager
    def _on_device(self, network: nn.Module, batch: Batch) -> Iterator[tuple[Tensor, Tensor]]:
        """Move a network to the device of the setting, and give a minibatch of its own there."""
        device = self.setting.device
        with enough_memory(torch.device(device), len(batch.inputs)):
            network.to(device)
            yield batch.inputs.clone().to(device), batch.targets.clone().to(device)

    def _seen(self, architecture: str, samples: int, rule: str, *, images: bool) -> tuple[nn.Module, Batch]:
        """Return a network and a minibatch as a proxy gets them."""
        setting = self.setting
        network = self.network(architecture, inherited=setting.weights == Weights.INHERITED, rule=rule)
        if images:
            return network, minibatch(self.subject, samples, setting.images)
        return network, blank_batch(self.subject.input_shape, samples)

    def validated(self, architecture: str) -> dict[str, float]:
        """Return the accuracy of inherited weights, as the super-network measures it."""
        network = self.network(architecture, inherited=True)
        with reported(f"measuring the accuracy of '{architecture}' failed"):
            return {ACCURACY: float(self.super_network().validate(network))}

    def trained(self, architecture: str) -> dict[str, float]:
        """Return the test accuracy after training from scratch; NaN where that diverges or does not fit the device."""
        dataset = load_dataset(self.setting.dataset)
        setting = self.setting
        try:
            with enough_memory(torch.device(setting.device), setting.recipe.batch_size):
                result = train(self.network(architecture), dataset, setting.recipe, 0, setting.device)
        except DeviceMemoryError as error:
            notice(f"not trained: the network '{shortened(architecture, LONGEST_NAME)}': {error}")
            return {TRAINED_ACCURACY: math.nan}
        return {TRAINED_ACCURACY: result.accuracy}


Measure = Callable[[NetworkMeasurer, str], dict[str, float]]

MEASURES: dict[str, tuple[tuple[str, ...], Measure]] = {
    "costs": ((PARAMS, MACS), NetworkMeasurer.params_and_macs),
    "memory": ((PEAK_MEMORY,), NetworkMeasurer.memory),
    "latency": ((LATENCY, LATENCY_SPREAD), NetworkMeasurer.latency),
    "score": ((PROXY,), NetworkMeasurer.score),
    "formulas": ((), NetworkMeasurer.formulas),
    "functions": ((), NetworkMeasurer.functions),
    "validated": ((ACCURACY,), NetworkMeasurer.validated),
    "trained": ((TRAINED_ACCURACY,), NetworkMeasurer.trained),
}
"""Measurements of a network by name: the quantities that each gives, and its function.

Names of quantities that follow from the setting are not listed.
"""

ON_DEVICE = ("score", "formulas", "functions", "trained", "latency")
"""Those of them that compute on the device of the setting; the others count or are the super-network's."""


def _say_too_large(architecture: str, error: ModelError) -> None:
    """Say that a network has no score where it is too large for the device."""
    if isinstance(error, DeviceMemoryError):
        notice(f"no score: the network '{shortened(architecture, LONGEST_NAME)}': {error}")


def measure_networks(measurer: NetworkMeasurer, measure: str, architectures: Sequence[str]) -> list[dict[str, float]]:
    """Return quantities of networks, measured one after another on one thread."""
    with single_threaded():
        return [MEASURES[measure][1](measurer, architecture) for architecture in architectures]


def measure_by_setting(setting: Setting, measure: str, architectures: Sequence[str]) -> list[dict[str, float]]:
    """Return quantities of networks in a process that knows the setting alone; the job that a worker runs."""
    return measure_networks(_measurer(setting), measure, architectures)


@cache
def _measurer(setting: Setting) -> NetworkMeasurer:
    return NetworkMeasurer(setting.subject(), setting)


@cache
def _proxy(formula: str) -> Proxy:
    return Proxy(parse(formula))
