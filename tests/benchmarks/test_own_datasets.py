"""Datasets of one's own: what is taken, and that what is not names the item and its shape."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import TensorDataset, random_split

from zcproxy.benchmarks.datasets import load_dataset
from zcproxy.contracts.dataset import ImageDataset
from zcproxy.errors import ZcproxyError

Load = Callable[[Any], ImageDataset]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Load what a function in a module of the user returns."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_items.py").write_text(
        "made = None\n\n\ndef function():\n    return made() if callable(made) else made\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "own_items", raising=False)

    def load(made: Any) -> ImageDataset:
        import own_items  # type: ignore[import-not-found]

        monkeypatch.setattr(own_items, "made", made)
        return load_dataset("own_items:function")

    return load


def twice(item: Callable[[int], Any]) -> tuple[list[Any], list[Any]]:
    return [item(index) for index in range(12)], [item(index) for index in range(6)]


def image(index: int, *shape: int) -> torch.Tensor:
    return torch.rand(shape or (3, 8, 6), generator=torch.Generator().manual_seed(index))


PLAIN = twice(lambda index: (image(index), index % 3))
TAKEN = {
    "list of two": lambda: list(PLAIN),
    "dictionaries": lambda: twice(lambda index: {"image": image(index), "label": index % 3}),
    "dictionaries with more": lambda: twice(
        lambda index: {"img": image(index).numpy(), "fine_label": np.int64(index % 3), "coarse": 0}
    ),
    "lists": lambda: twice(lambda index: [image(index), torch.tensor([index % 3])]),
    "whole floats": lambda: twice(lambda index: (image(index), float(index % 3))),
    "gradients": lambda: twice(lambda index: (image(index).requires_grad_(), index % 3)),
}


@pytest.mark.parametrize("name", TAKEN)
def test_items_of_many_kinds_are_the_same_dataset(load: Load, name: str) -> None:
    found, expected = load(TAKEN[name]), load(PLAIN)
    assert found.fingerprint() == expected.fingerprint() and found.input_shape == (3, 8, 6)


def test_what_random_split_returns(load: Load) -> None:
    everything = TensorDataset(torch.rand(40, 1, 5, 5), torch.arange(40) % 2)
    found = load(random_split(everything, [30, 10], torch.Generator().manual_seed(0)))
    assert len(found.train_targets) == 30 and len(found.test_targets) == 10 and found.classes == 2


def test_bfloat16_images(load: Load) -> None:
    found = load(twice(lambda index: (image(index).bfloat16(), index % 3)))
    expected = load(twice(lambda index: (image(index).bfloat16().float(), index % 3)))
    assert found.fingerprint() == expected.fingerprint()


def test_images_of_pillow_have_their_channels_last(load: Load) -> None:
    pixels = [np.random.default_rng(index).integers(0, 255, (8, 6, 3), dtype=np.uint8) for index in range(12)]
    found = load(twice(lambda index: (Image.fromarray(pixels[index]), index % 3)))
    expected = load(twice(lambda index: (pixels[index].transpose(2, 0, 1), index % 3)))
    assert found.input_shape == (3, 8, 6) and found.fingerprint() == expected.fingerprint()


@pytest.mark.parametrize("shape", [(3, 8, 3), (1, 8, 1), (8, 4, 4), (12, 3, 3), (3, 1, 1)])
def test_channels_first_with_few_columns(load: Load, shape: tuple[int, ...]) -> None:
    assert load(twice(lambda index: (image(index, *shape), index % 3))).input_shape == shape


def missing() -> None:
    raise FileNotFoundError(2, "No such file", "img_17.png")


class Broken(list[Any]):
    def __getitem__(self, index: Any) -> Any:
        if index == 5:
            raise OSError("truncated file img_5.png")
        return super().__getitem__(index)


def labelled(label: Any) -> Any:
    return lambda: twice(lambda index: (image(index), label if index == 2 else index % 3))


def shown(value: Any) -> Any:
    return lambda: twice(lambda index: (value if index == 2 else image(index), index % 3))


REFUSED = {
    "one-hot": (labelled(torch.eye(3)[2]), r"training item 2 has a label of shape \(3,\): give one class"),
    "text": (labelled("dog"), "training item 2 has the label 'dog': number the classes"),
    "no label": (labelled(None), "training item 2 has the label None"),
    "fraction": (labelled(1.5), "training item 2 has the label 1.5: a class is a whole number"),
    "tensor of a fraction": (labelled(torch.tensor(0.5)), "training item 2 has the label 0.5"),
    "NaN": (labelled(float("nan")), "training item 2 has the label nan"),
    "infinite": (labelled(np.inf), "training item 2 has the label inf"),
    "complex": (labelled(1j), "training item 2 has the label 1j"),
    "long text": (labelled("x" * 5000), "training item 2 has the label 'xxx"),
    "vector": (shown(torch.rand(192)), r"training item 2 has an image of shape \(192,\), expected channels x"),
    "video": (shown(torch.rand(4, 3, 8, 6)), r"training item 2 has an image of shape \(4, 3, 8, 6\)"),
    "channels last": (shown(np.zeros((12, 10, 3))), r"\(12, 10, 3\), which looks like height x width x channels"),
    "small and channels last": (shown(np.zeros((4, 5, 3))), r"\(4, 5, 3\), which looks like height x width"),
    "grey and channels last": (shown(np.zeros((28, 28, 1))), r"\(28, 28, 1\), which looks like height x width"),
    "path": (shown("img_2.png"), "training item 2 has a str for an image: give a tensor"),
    "encoded": (shown({"bytes": b"", "path": None}), "training item 2 has a dict for an image"),
    "nothing": (shown(None), "training item 2 has a NoneType for an image"),
    "empty": (shown(torch.zeros(3, 0, 6)), r"training item 2 has an image of shape \(3, 0, 6\)"),
    "ragged": (shown([[1, 2], [3]]), "training item 2 holds a list that is not an array"),
    "complex image": (shown(torch.zeros(3, 8, 6, dtype=torch.cfloat)), "training item 2 has a Tensor for an image"),
    "other size": (shown(torch.rand(3, 9, 6)), r"training: image 2 is \(9, 6, 3\), image 0 is \(8, 6, 3\)"),
    "triples": (lambda: twice(lambda index: (image(index), index % 3, 0)), "training item 0 is a tuple of 3"),
    "images alone": (lambda: twice(image), "training item 0 is a Tensor, expected a pair"),
    "other keys": (lambda: twice(lambda index: {"x": 0, "y": 1}), "training item 0 is a dictionary of x, y"),
    "two images": (
        lambda: twice(lambda index: {"image": 0, "img": 0, "label": 1}),
        "training item 0 is a dictionary of image, img, label, expected one image and one label",
    ),
    "three parts": (lambda: (*PLAIN, PLAIN[0]), "returned a tuple, expected"),
    "a dictionary": (lambda: {"train": PLAIN[0], "test": PLAIN[1]}, "returned a dict, expected"),
    "an iterator": (lambda: (iter(PLAIN[0]), PLAIN[1]), "training set is a list_iterator, no torch dataset"),
    "missing file": (lambda: missing, "the dataset function own_items:function failed: .*img_17.png"),
    "file of an item": (lambda: (Broken(PLAIN[0]), PLAIN[1]), "training item 5 cannot be read: truncated file img_5"),
    "no items": (lambda: ([], PLAIN[1]), "0-d|shape"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_image_with_a_class_is_named(load: Load, name: str) -> None:
    make, message = REFUSED[name]
    with pytest.raises(ZcproxyError, match=message) as raised:
        load(make())
    assert str(raised.value).isprintable() and len(str(raised.value)) < 500


def test_fractional_classes_of_a_file(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 255, (10, 32, 32, 3), dtype=np.uint8)
    arrays = {"X_train": images, "X_test": images, "y_train": np.arange(10) % 2 + 0.5, "y_test": np.arange(10) % 2}
    np.savez(tmp_path / "cifar.npz", **arrays)
    with pytest.raises(ZcproxyError, match="the training classes are not whole numbers"):
        load_dataset(f"cifar10:{tmp_path / 'cifar.npz'}")
