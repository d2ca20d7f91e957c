"""Quantities that take a network to be built: its costs, a proxy's score, an accuracy."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property

import torch
from torch import Tensor, nn

from zcproxy.benchmarks.datasets import load_dataset
from zcproxy.columns.table import table_of
from zcproxy.contracts.batch import Batch
from zcproxy.contracts.search_space import SearchSpace
from zcproxy.contracts.super_network import SuperNetwork
from zcproxy.errors import ConfigurationError, ModelError
from zcproxy.formula.evaluate import Evaluator
from zcproxy.images.minibatch import blank_batch, minibatch
from zcproxy.models.costs import count_costs
from zcproxy.models.device import DeviceMemoryError, enough_memory
from zcproxy.models.initialisation import OWN
from zcproxy.models.layer_costs import NetworkCost, cost_by_layer
from zcproxy.models.rounding import mark
from zcproxy.models.untrained import untrained
from zcproxy.names.subjects import Subject
from zcproxy.primitives import parse
from zcproxy.probing.beside import reads_teacher
from zcproxy.probing.isolation import own_state
from zcproxy.probing.measure import measure
from zcproxy.probing.recorder import reported
from zcproxy.probing.teacher import teacher_of
from zcproxy.proxy.function import FunctionProxy
from zcproxy.proxy.proxy import Proxy
from zcproxy.random import derive_seed
from zcproxy.search.goals import ACCURACY, PROXY, TRAINED_ACCURACY
from zcproxy.search.quantising.bit_space import BitSpace
from zcproxy.search.quantising.build import calibrate, check_calibration, round_weights, store_rounded
from zcproxy.search.quantising.costs import BIT_OPERATIONS, MODEL_SIZE, quantised_costs
from zcproxy.search.quantities.combined import by_setting
from zcproxy.search.quantities.latency import measure_latency
from zcproxy.search.quantities.memory import peak_activation_bytes
from zcproxy.search.quantities.setting import Setting as Setting, Weights as Weights, check_weights as check_weights
from zcproxy.search.quantities.warned import LONGEST_NAME, warned_once
from zcproxy.storage.notices import notice
from zcproxy.text.visible import shortened
from zcproxy.training.train import accuracy_of, train
from zcproxy.user_code.chosen_teacher import chosen_teacher
from zcproxy.workers.pool import single_threaded

PARAMS, MACS, PEAK_MEMORY, LATENCY = "params", "macs", "peak_memory_mb", "latency_ms"
LATENCY_SPREAD = "latency_ms_spread"
"""Interquartile range of the runs; noted beside the latency."""


@dataclass(frozen=True)
class NetworkMeasurer:
    """Builds and measures networks.

    Attributes:
        subject: what networks are built from.
        setting: how they are measured.
    """

    subject: Subject
    setting: Setting

    @property
    def space(self) -> SearchSpace:
        """What is searched: the subject's architectures, each with bit widths where networks are quantised."""
        return self._bit_space if self.setting.quantisation.is_on else self.subject.space

    @cached_property
    def _bit_space(self) -> BitSpace:
        return BitSpace(self.subject.space, self._cost, self.setting.quantisation)

    @cached_property
    def _said(self) -> set[str]:
        return set()

    def _cost(self, architecture: str) -> NetworkCost:
        return cost_by_layer(self._untrained(architecture, OWN), self.subject.input_shape)

    def _untrained(self, architecture: str, rule: str) -> nn.Module:
        subject = self.subject
        return untrained(subject.build, subject.space.name, architecture, self.setting.initialisation, rule)

    def network(self, text: str, *, inherited: bool = False, rule: str = OWN, rounds: bool = False) -> nn.Module:
        """Return a network: untrained, its weights drawn by a rule, or with the weights of its super-network.

        Args:
            text: the architecture, with its bit widths where networks are quantised.
            inherited: whether it has the weights of its super-network.
            rule: by which weights are drawn, see `zcproxy.models.initialisation`.
            rounds: whether it computes with rounded weights, where networks are quantised; else its layers are but
                marked with their bit widths.
        """
        quantisation, architecture = self.setting.quantisation, text
        if quantisation.is_on:
            architecture, bits = self._bit_space.layer_bits(text)
        network = self._untrained(architecture, rule)
        if quantisation.is_on:
            mark(network, bits, symmetric=quantisation.symmetric_weights)
            if rounds:
                round_weights(network)
        if inherited:
            super_network = self.super_network()
            with reported(f"'{architecture}' cannot inherit weights"):
                super_network.inherit(network, super_network.decode(architecture))
        return network

    def exported(self, text: str, *, inherited: bool) -> nn.Module:
        """Return a network as `network` does, with the rounded weights themselves."""
        network = self.network(text, inherited=inherited, rounds=True)
        store_rounded(network)
        return network

    def _calibrated(self, network: nn.Module) -> nn.Module:
        """Return the network, which rounds its inputs to layers from now on where networks are quantised."""
        quantisation, subject = self.setting.quantisation, self.subject
        if quantisation.is_on:
            inputs = minibatch(subject, quantisation.calibration_samples, self.setting.images).inputs
            check_calibration(inputs, subject.input_shape, subject.name)
            device = next(network.parameters()).device
            calibrate(network, inputs.to(device), quantisation.activation_bits)
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
            with self._on_device(network, batch) as inputs_and_targets, warned_once(architecture, self._said):
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
        return network, blank_batch(self.subject.input_shape, samples, getattr(self.subject, "vocabulary", 0))

    def validated(self, architecture: str) -> dict[str, float]:
        """Return the accuracy of inherited weights, as the super-network measures it; of the quantised network."""
        network = self._calibrated(self.network(architecture, inherited=True, rounds=True))
        with reported(f"measuring the accuracy of '{architecture}' failed"):
            return {ACCURACY: float(self.super_network().validate(network))}

    def trained(self, architecture: str) -> dict[str, float]:
        """Return the test accuracy after training from scratch; NaN where that diverges.

        Quantised networks are trained with rounded weights, and tested with rounded inputs too.
        """
        dataset, device = load_dataset(self.setting.dataset), self.setting.device
        network = self.network(architecture, rounds=True)
        result = train(network, dataset, self.setting.recipe, 0, device)
        if not self.setting.quantisation.is_on or result.diverged:
            return {TRAINED_ACCURACY: result.accuracy}
        return {TRAINED_ACCURACY: accuracy_of(self._calibrated(network), dataset, device)}

    def size(self, architecture: str) -> dict[str, float]:
        """Return the size of the parameters in MB and the bit operations of one sample."""
        quantisation = self.setting.quantisation
        own, bits = self._bit_space.layer_bits(architecture) if quantisation.is_on else (architecture, {})
        cost = self._bit_space.cost(own)
        return quantised_costs(cost, bits, quantisation.activation_bits, symmetric=quantisation.symmetric_weights)


Measure = Callable[[NetworkMeasurer, str], dict[str, float]]

MEASURES: dict[str, tuple[tuple[str, ...], Measure]] = {
    "costs": ((PARAMS, MACS), NetworkMeasurer.params_and_macs),
    "memory": ((PEAK_MEMORY,), NetworkMeasurer.memory),
    "size": ((MODEL_SIZE, BIT_OPERATIONS), NetworkMeasurer.size),
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
