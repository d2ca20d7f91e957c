"""Makes a transformer elastic: `elastic`.

Following InstaTune (S. N. Sridhar et al.: InstaTune: Instantaneous Neural Architecture Search During Fine-Tuning, ICCV
Workshops 2023), the super-network comes out of the fine-tuning that a given model needs anyway.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import nn

from zcproxy.contracts.dataset import ImageDataset
from zcproxy.errors import ConfigurationError, ModelError
from zcproxy.probing.prepare import check_model
from zcproxy.probing.recorder import reported
from zcproxy.random import derive_seed, generator
from zcproxy.search.transformers.attention import separate_all
from zcproxy.search.transformers.checking import check_same, check_shrinking
from zcproxy.search.transformers.logits import take_logits
from zcproxy.search.transformers.shrinking import sort_by_importance
from zcproxy.search.transformers.stack import find_stack
from zcproxy.search.transformers.super_network import DEPTH, ElasticTransformer
from zcproxy.training.sandwich import train_sandwich
from zcproxy.workers.pool import single_threaded
from zcproxy.workers.progress import Progress, silent

OPTIONS = 4
"""Options of a choice that is not given: at most so many, evenly from a half to the whole; widths from a quarter."""

KEPT = 16
"""Sub-networks that training keeps between steps, the largest and the smallest among them."""


def elastic(
    model: nn.Module,
    dataset: ImageDataset,
    *,
    name: str = "elastic",
    depths: Sequence[int] = (),
    heads: Sequence[int] = (),
    widths: Sequence[int] = (),
    epochs: int = 10,
    batch_size: int = 64,
    learning_rate: float = 1e-3,
    weight_decay: float = 0.01,
    seed: int = 0,
    progress: Progress = silent,
) -> ElasticTransformer:
    """Make a transformer elastic in depth, heads and feed-forward width, and fine-tune it so that all of it is trained.

    The encoder layers are those of `nn.TransformerEncoder`, or layers like those of Hugging Face: attention with linear
    maps to queries, keys and values, and two linear maps of a feed-forward part. The most important heads and units of
    each layer come first. Every step trains the full model on the classes, and the smallest sub-network and two random
    ones on its outputs (sandwich rule), by AdamW with a cosine schedule.

    Args:
        model: trained or not, on the CPU; it is left as it is. Gives samples x classes logits, or an object or mapping
            with such `logits`.
        dataset: samples to train on, samples x any shape, and those that accuracies of sub-networks are measured on,
            its test samples: a search chooses by these, so keep others for the last word.
        name: of the super-network; random choices are seeded by it.
        depths: options for the number of layers; the full number has to be among those of each choice.
        heads: options for the heads of each layer.
        widths: options for the feed-forward width of each layer.
        epochs: passes over the training samples; 0 to take the weights as they are, or from a file with `load`.
        batch_size: samples of a step.
        learning_rate: of the first step.
        weight_decay: AdamW's.
        seed: seed of the order of samples and of the random sub-networks.
        progress: told how many epochs are done.

    Raises:
        ConfigurationError: an option is out of range.
        ModelError: the model is of a kind that cannot be made elastic, the module is named; or its training diverged.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from zcproxy.benchmarks.datasets import load_dataset
        >>> from zcproxy.search import elastic
        >>> layer = nn.TransformerEncoderLayer(12, 4, 24, dropout=0.0, batch_first=True)
        >>> vit = nn.Sequential(nn.Flatten(1, 2), nn.TransformerEncoder(layer, 3), nn.Flatten(), nn.Linear(144, 10))
        >>> found = elastic(vit, load_dataset("digits"), epochs=0)
        >>> found.choices["depth"], found.choices["heads1"], found.choices["width1"]
        ((2, 3), (2, 3, 4), (6, 12, 18, 24))
    """
    check_model(model)
    _check(epochs, batch_size, learning_rate, weight_decay, dataset)
    samples = dataset.train_inputs[:batch_size]
    given = copy.deepcopy(model).eval()
    take_logits(given, samples, dataset.classes)
    full = copy.deepcopy(given)
    separate_all(full)
    check_same(full, given, samples)
    stack = find_stack(full)
    of_depth = _options("depths", depths, len(stack.layers), 0.5)
    of_heads, of_width = _options("heads", heads, stack.heads, 0.5), _options("widths", widths, stack.width, 0.25)
    sort_by_importance(full, stack)
    check_shrinking(full, stack, of_depth[0], samples)
    choices = {DEPTH: of_depth}
    for place in range(1, len(stack.layers) + 1):
        choices |= {f"heads{place}": of_heads, f"width{place}": of_width}
    made = ElasticTransformer(name, full.train(), stack, choices, dataset)
    if epochs:
        _fine_tune(made, full, dataset, epochs, batch_size, learning_rate, weight_decay, seed, progress)
    return made


def _check(epochs: int, batch_size: int, learning_rate: float, weight_decay: float, dataset: ImageDataset) -> None:
    if epochs < 0 or batch_size < 2:
        raise ConfigurationError(f"epochs={epochs} and batch_size={batch_size}: give 0 or more, and 2 or more")
    if not 0 < learning_rate < math.inf or not 0 <= weight_decay < math.inf:  # False for NaN too
        raise ConfigurationError(
            f"learning_rate={learning_rate} and weight_decay={weight_decay}: give a positive number, and 0 or more"
        )
    if not isinstance(dataset, ImageDataset):
        raise ConfigurationError(f"`dataset` is a {type(dataset).__name__}: give a zcproxy.ImageDataset")
    dataset.check_batch(batch_size)


def _options(argument: str, given: Sequence[int], whole: int, least: float) -> tuple[int, ...]:
    """Return the options of a choice, from small to the whole."""
    if isinstance(given, int):
        raise ConfigurationError(f"{argument}={given}: give all options in a list, {whole} among them")
    if not given:
        first = max(math.ceil(least * whole), 1)
        steps = min(OPTIONS, whole - first + 1) - 1
        return (*(first + round((whole - first) * step / steps) for step in range(steps)), whole)
    options = sorted(set(given))
    if options[0] < 1 or options[-1] != whole:
        raise ConfigurationError(f"{argument}={list(given)}: give numbers from 1 to {whole}, and {whole} among them")
    return tuple(options)


def _fine_tune(
    made: ElasticTransformer,
    full: nn.Module,
    dataset: ImageDataset,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float,
    seed: int,
    progress: Progress,
) -> None:
    shared = {name: nn.Parameter(value.detach().clone()) for name, value in full.named_parameters()}
    optimiser = torch.optim.AdamW(shared.values(), learning_rate, weight_decay=weight_decay)
    with torch.random.fork_rng(devices=[]), single_threaded(), reported("fine-tuning the elastic transformer failed"):
        torch.manual_seed(derive_seed(made.name, "fine-tuning", seed))
        rng = generator(made.name, "sandwich", seed)
        train_sandwich(
            *(made, shared, dataset, optimiser),
            epochs=epochs,
            batch_size=batch_size,
            rng=rng,
            build=lru_cache(maxsize=KEPT)(made.skeleton),
            progress=progress,
        )
    diverged = [name for name, value in shared.items() if not bool(torch.isfinite(value).all())]
    if diverged:
        raise ModelError(
            f"fine-tuning diverged: '{diverged[0]}' holds NaN or infinity: lower learning_rate={learning_rate}"
        )
    made.take(shared)
