"""Networks of a user before they are measured: each is built and run once, and those that fail are named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from zcproxy.contracts.own_labels import named_networks
from zcproxy.contracts.own_models import Collection, Models
from zcproxy.contracts.own_task import FEWEST_CLASSES
from zcproxy.errors import BenchmarkError, ModelError, ZcproxyError
from zcproxy.models.costs import Costs, count_costs
from zcproxy.probing.probes import PROBES
from zcproxy.probing.recorder import call_model, reported
from zcproxy.random import derive_seed
from zcproxy.storage.notices import notice
from zcproxy.workers.progress import Progress, silent


@dataclass(frozen=True)
class Checked:
    """Networks that were built and run.

    Attributes:
        costs: of each network that can be run, in the order asked for.
        classes: logits of these networks, two or more.
        failed: what is wrong with the others, by name.
        has_logits: whether all give a row of two or more logits per sample, which a cross-entropy needs.
    """

    costs: Mapping[str, Costs]
    classes: int
    failed: Mapping[str, str]
    has_logits: bool = True

    def probes(self, wanted: Sequence[str]) -> tuple[str, ...]:
        """Return the probes that the networks allow: those without a cross-entropy, if there are no logits."""
        if self.has_logits:
            return tuple(wanted)
        left = tuple(name for name in wanted if not any(run.compares_classes for run in PROBES[name].passes))
        if len(left) < len(wanted):
            notice(f"the networks give no logits of classes: probes that need none are left, {', '.join(left)}")
        return left


def check_networks(
    models: Models,
    names: Sequence[str],
    input_shape: tuple[int, ...],
    classes: int | None = None,
    *,
    least: int = 2,
    progress: Progress = silent,
) -> Checked:
    """Build and run each network once, on two samples of noise, and say which fail.

    Args:
        models: make the networks.
        names: which.
        input_shape: shape of one sample.
        classes: logits that each has to give; None for as many as the first one that can be run.
        least: networks that are needed.
        progress: called after each network.

    Raises:
        BenchmarkError: fewer than `least` can be run; the message has the reason of the first that fails.
    """
    costs: dict[str, Costs] = {}
    failed: dict[str, str] = {}
    has_logits = True
    for done, name in enumerate(names):
        progress(done, len(names))
        try:
            costs[name], classes, is_row = _checked(models, name, input_shape, classes)
            has_logits = has_logits and is_row and classes >= FEWEST_CLASSES
        except ZcproxyError as error:
            failed[name] = str(error)
    progress(len(names), len(names))
    if len(costs) < least:
        reason = f"; {next(iter(failed.values()))}" if failed else ""
        raise BenchmarkError(f"{len(costs)} of {len(names)} networks can be used, {least} are needed{reason}")
    _say(models, failed, len(costs))
    return Checked(costs, max(FEWEST_CLASSES, classes or 0), failed, has_logits)


def _checked(models: Models, name: str, input_shape: tuple[int, ...], classes: int | None) -> tuple[Costs, int, bool]:
    """Return costs and logits of a network, and whether these are one row per sample."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed("check", name))
        network = models.make(name)
    with torch.no_grad():
        logits = call_model(network, _noise(network, (2, *input_shape)))
    if logits.dim() < 2 or len(logits) != 2:
        raise ModelError(f"the network '{name}' gives {tuple(logits.shape)} for 2 samples, expected a row for each")
    if classes is not None and logits.shape[1] != classes:
        raise ModelError(
            f"the network '{name}' gives {logits.shape[1]} logits, expected {classes}: build it for as many classes"
        )
    with reported(f"the multiply-adds of '{name}' cannot be counted"):
        return count_costs(network, input_shape), int(logits.shape[1]), logits.dim() == 2


def _noise(network: nn.Module, shape: tuple[int, ...]) -> Tensor:
    kinds = [parameter.dtype for parameter in network.parameters() if parameter.is_floating_point()]
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    return noise.to(kinds[0]) if kinds else noise


def _say(models: Models, failed: Mapping[str, str], left: int) -> None:
    """Say which networks are left out, and which are hardly untrained."""
    if failed:
        reason = next(iter(failed.values()))
        notice(f"left out, {left} networks are left: {named_networks(list(failed))}: {reason}")
    trained = models.trained() if isinstance(models, Collection) else []
    if trained:
        notice(
            f"{named_networks(trained)}: batch normalisation has seen data. Zero-cost proxies are for untrained "
            "networks: give functions that build them, not trained modules"
        )
