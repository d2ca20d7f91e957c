"""A user's own space and dataset, in a module that the tests can import by name."""

from __future__ import annotations

from pathlib import Path

import pytest

OWN = '''
"""A space of small convolutional networks, and two hundred digits."""
from torch import nn
from zcproxy.benchmarks.datasets import load_dataset
from zcproxy.space import ChoiceSpace


class Plain(ChoiceSpace):
    name = "plain"
    choices = {"depth": (1, 2, 3), "width": (2, 4, 6, 8), "kernel": (1, 3), "norm": ("yes", "no")}

    def build(self, architecture, input_shape, classes):
        options = self.decode(architecture)
        layers, channels = [], input_shape[0]
        for _ in range(options["depth"]):
            layers.append(nn.Conv2d(channels, options["width"], options["kernel"], padding="same"))
            layers += [nn.BatchNorm2d(options["width"])] if options["norm"] == "yes" else []
            layers.append(nn.ReLU())
            channels = options["width"]
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


class Pairs:
    """A torch dataset."""

    def __init__(self, images, targets):
        self.images, self.targets = images, targets

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, index):
        return self.images[index], int(self.targets[index])


def few_digits():
    digits = load_dataset("digits")
    return Pairs(digits.train_inputs[:200], digits.train_targets[:200]), Pairs(
        digits.test_inputs[:100], digits.test_targets[:100]
    )


def one_class():
    train, test = few_digits()
    return Pairs(train.images, train.targets * 0), Pairs(test.images, test.targets * 0)


def varying_shapes():
    train, test = few_digits()
    return [(train.images[0], 0), (train.images[1, :, :5], 1)], test


class ElevenClasses(Plain):
    def build(self, architecture, input_shape, classes):
        return super().build(architecture, input_shape, 11)


number = 3
'''


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the module `own_space`, which is the current one; worker processes import it too."""
    (tmp_path / "own_space.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path
