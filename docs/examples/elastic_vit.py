"""A small vision transformer on the digits of scikit-learn, made elastic and searched: less than a minute on one core.

    python docs/examples/elastic_vit.py --out runs/elastic-vit

As a module it holds what the command line takes: `zcproxy search elastic_vit:NETWORK --shared-weights ...`.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zcproxy import ImageDataset, SearchConfiguration, SearchResult, Setting, search
from zcproxy.benchmarks.datasets import load_dataset
from zcproxy.search import ElasticTransformer, elastic
from zcproxy.training.train import accuracy_of

DIGITS, KEPT = 1200, 200
"""Handwritten digits that the training images show, each twice, and how many of them are kept for validation."""

BATCH, LEARNING_RATE = 50, 2e-3
EPOCHS, FINE_TUNING = 15, 10
"""Passes over the training images, before the transformer is elastic and after."""


class ViT(nn.Module):
    """Maps images (samples x 1 x 12 x 12) to ten logits: a convolution, 16 patches, and encoder layers of torch."""

    def __init__(self, width: int = 32, heads: int = 4, depth: int = 3, inner: int = 64) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.patches = nn.Conv2d(8, width, kernel_size=3, stride=3)
        self.positions = nn.Parameter(0.02 * torch.randn(1, 16, width))
        layer = nn.TransformerEncoderLayer(
            width, heads, inner, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, depth, nn.LayerNorm(width), enable_nested_tensor=False)
        self.head = nn.Linear(16 * width, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits."""
        tokens = self.patches(self.stem(images)).flatten(2).transpose(1, 2) + self.positions
        logits: Tensor = self.head(self.encoder(tokens).flatten(1))
        return logits


def split() -> tuple[ImageDataset, ImageDataset]:
    """Return the digits twice: with validation images kept from training, to search with, and with the test images."""
    digits = load_dataset("digits")
    kept = torch.arange(len(digits.train_targets)) % DIGITS >= DIGITS - KEPT
    test = replace(digits, train_inputs=digits.train_inputs[~kept], train_targets=digits.train_targets[~kept])
    validation = replace(test, test_inputs=digits.train_inputs[kept], test_targets=digits.train_targets[kept])
    return validation, test


def train(network: nn.Module, dataset: ImageDataset, epochs: int, seed: int) -> None:
    """Train a network alone, as `elastic` trains its sub-networks: AdamW with a cosine schedule."""
    optimiser = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=0.01)
    steps = len(dataset.train_targets) // BATCH
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs * steps)
    generator = torch.Generator().manual_seed(seed)
    network.train()
    for _ in range(epochs):
        order = torch.randperm(len(dataset.train_targets), generator=generator)
        for chosen in torch.split(order, BATCH)[:steps]:
            optimiser.zero_grad()
            F.cross_entropy(network(dataset.train_inputs[chosen]), dataset.train_targets[chosen]).backward()
            optimiser.step()
            schedule.step()


VALIDATION, TEST = split()
NETWORK = elastic(ViT(), VALIDATION, name="elastic_vit", epochs=0)
"""The super-network untrained: the command line loads its weights from a file."""


def run(seed: int, out: Path) -> tuple[ElasticTransformer, SearchResult]:
    """Train a transformer, make it elastic, search it, and return both; `out` is given weights and the search."""
    torch.manual_seed(seed)
    full = ViT()
    train(full, TEST, EPOCHS, seed)
    print(f"full model, trained alone: {accuracy_of(full, TEST, 'cpu'):.1f} % of the test images", flush=True)
    made = elastic(
        *(full, VALIDATION),
        name="elastic_vit",
        epochs=FINE_TUNING,
        batch_size=BATCH,
        learning_rate=LEARNING_RATE / 2,
        seed=seed,
    )
    made.save(out / "weights.pt")
    configuration = SearchConfiguration(
        Setting("elastic_vit:NETWORK"), ("accuracy",), ("macs",), evaluations=80, population=20, seed=seed
    )
    return made, search(configuration, out / "search", subject=made)


def main() -> None:
    """Print the front with its accuracies on test images, which nothing was chosen by."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    made, found = run(arguments.seed, arguments.out)
    for row in found.front.sort_values("macs").itertuples():
        network = made.build(row.arch)
        made.inherit(network, made.decode(row.arch))
        print(f"{row.macs / 1e3:6.0f} K multiply-adds, {accuracy_of(network, TEST, 'cpu'):.1f} %: {row.arch}")


if __name__ == "__main__":
    main()
