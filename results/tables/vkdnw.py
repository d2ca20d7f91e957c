"""VKDNW on NAS-Bench-201 as its authors' code computes it, and the effect of each part.

    python results/tables/vkdnw.py [--networks 60] [--samples 64] [--out FOLDER]

The authors put the network into evaluation mode, initialise with kaiming_normal (fan in), show Gaussian noise, take the
first element of every parameter, and mix a twentieth of even probabilities into those of the classes. Writes
`vkdnw.csv`: tau with the accuracies, and Spearman's rho with the authors' score, of their score and of variants that
leave out one part of it. Gradients are caught at the modules; the formula language is not used here.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn
from torch.nn import functional

from zcproxy.correlation import kendall_tau
from zcproxy.models.initialisation import initialise
from zcproxy.models.untrained import untrained
from zcproxy.names.tasks import get_task
from zcproxy.ranking.scoring import draw_networks

TASK = "nasbench201/cifar10"
MODULES = (nn.Conv2d, nn.Linear, nn.BatchNorm2d)
AUTHORS = "authors"


def first_elements(module: nn.Module, given: Tensor, gradient: Tensor) -> dict[str, Tensor]:
    """Return the gradient by the first element of each parameter of a module, one number per sample."""
    if isinstance(module, nn.Linear):
        return {"weight": given[:, 0] * gradient[:, 0], "bias": gradient[:, 0]}
    if isinstance(module, nn.BatchNorm2d):
        deviation = torch.sqrt(module.running_var[0] + module.eps)
        seen = (given[:, 0] - module.running_mean[0]) / deviation
    else:
        padding, stride = module.padding[0], module.stride[0]
        padded = functional.pad(given[:, 0], (padding, padding, padding, padding))
        seen = padded[:, ::stride, ::stride][:, : gradient.shape[2], : gradient.shape[3]]
    found = {"weight": (seen * gradient[:, 0]).sum((1, 2))}
    return found if module.bias is None else {**found, "bias": gradient[:, 0].sum((1, 2))}


def jacobians(network: nn.Module, inputs: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Return logits, and for each parameter their derivative by its first element: samples x classes."""
    calls: dict[str, tuple[nn.Module, Tensor, Tensor]] = {}
    for name, module in network.named_modules():
        if isinstance(module, MODULES):
            module.register_forward_hook(
                lambda module, given, output, name=name: calls.update({name: (module, given[0].detach(), output)})
            )
    logits = network(inputs.requires_grad_())
    columns: dict[str, list[Tensor]] = {}
    for of_class in logits.unbind(1):
        outputs = [output for _, _, output in calls.values()]
        gradients = torch.autograd.grad(of_class.sum(), outputs, retain_graph=True, materialize_grads=True)
        for (name, (module, given, _)), gradient in zip(calls.items(), gradients, strict=True):
            for parameter, values in first_elements(module, given, gradient).items():
                columns.setdefault(f"{name}.{parameter}", []).append(values.detach().double())
    zero = torch.zeros_like(logits).detach().double()
    found = {name: torch.stack(values, dim=1) for name, values in columns.items()}
    return logits.detach(), {name: found.get(name, zero) for name, _ in network.named_parameters()}


def entropy(derivatives: list[Tensor], logits: Tensor, evenness: float) -> float:
    """Return the entropy of the deciles of the Fisher information's singular values; NaN without parameters."""
    if not derivatives:
        return float("nan")
    jacobian = torch.stack(derivatives, dim=2)
    p = logits.double().softmax(1) * (1 - evenness) + evenness / logits.shape[1]
    centred = p.sqrt()[..., None] * (jacobian - (p[..., None] * jacobian).sum(1, keepdim=True))
    information = torch.einsum("ncp,ncq->pq", centred, centred) / len(logits)
    deciles = torch.linalg.svdvals(information).quantile(torch.arange(1, 10).double() / 10)
    share = deciles / (deciles.sum() + 1e-10)
    return float(-(share * torch.log(share + 1e-10)).sum())


def scores(architecture: str, samples: int) -> dict[str, float]:
    """Return the authors' score of a cell, and variants that leave out one part of it."""
    task = get_task(TASK)
    network = untrained(task.build, task.space.name, architecture, 0).eval()
    torch.manual_seed(1)
    initialise(network, "kaiming_normal_fan_in")
    logits, derivatives = jacobians(network, torch.randn(samples, *task.input_shape))
    modules = dict(network.named_modules())
    live = {name: values for name, values in derivatives.items() if values.any()}
    layers = {
        name: values
        for name, values in derivatives.items()
        if name.endswith("weight") and not isinstance(modules[name.rpartition(".")[0]], nn.BatchNorm2d)
    }
    weights = [values for name, values in layers.items() if name in live]
    found = {
        AUTHORS: entropy(list(derivatives.values()), logits, 0.05),
        "probabilities not mixed": entropy(list(derivatives.values()), logits, 0.0),
        "live parameters alone": entropy(list(live.values()), logits, 0.05),
        "weights of layers alone": entropy(list(layers.values()), logits, 0.05),
        "weights of live layers alone": entropy(weights, logits, 0.05),
        "weights of live layers, not mixed": entropy(weights, logits, 0.0),
    }
    return {**found, "authors, plus parameter tensors": found[AUTHORS] + len(derivatives)}


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--networks", type=int, default=60)
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    options = parser.parse_args()
    task = get_task(TASK)
    networks = draw_networks(task, options.networks)
    found = pd.DataFrame([scores(architecture, options.samples) for architecture in networks])
    labels, ranked = task.labels(networks), found.fillna(-np.inf)
    rows = [
        {
            "score": name,
            "tau": kendall_tau(ranked[name].to_numpy(), labels),
            "spearman_with_authors": spearmanr(ranked[name], found[AUTHORS]).statistic,
            "networks": len(networks),
            "samples": options.samples,
        }
        for name in found
    ]
    pd.DataFrame(rows).to_csv(options.out / "vkdnw.csv", index=False, float_format="%.4f")


if __name__ == "__main__":
    main()
