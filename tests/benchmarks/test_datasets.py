from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from zcproxy.benchmarks.datasets import load_dataset
from zcproxy.benchmarks.datasets.digits import FILE
from zcproxy.errors import BenchmarkError


def test_digits_are_distorted_normalised_and_split_by_digit() -> None:
    digits = load_dataset("digits")
    assert digits.input_shape == (1, 12, 12)
    assert digits.classes == 10
    assert float(digits.train_inputs.mean()) == pytest.approx(0, abs=1e-3)
    assert float(digits.train_inputs.std()) == pytest.approx(1, abs=1e-3)
    with np.load(FILE) as content:
        assert content["images"].shape == (1797, 8, 8)
        assert np.bincount(content["classes"]).min() > 170
    assert (len(digits.train_targets) + len(digits.test_targets)) % 1797 == 0
    assert torch.bincount(digits.test_targets).min() > 50


def batch(images: np.ndarray, field: bytes, targets: list[int]) -> bytes:
    """A batch as the official archives have it: a pickle of protocol 2 with bytes for text."""
    pixels = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
    return pickle.dumps({b"batch_label": b"some", b"data": pixels, field: targets}, protocol=2)


@pytest.fixture
def cifar(tmp_path: Path) -> tuple[Path, np.ndarray]:
    """A folder of batches as the official archive of CIFAR-10 has them, and the images in them."""
    rng = np.random.default_rng(0)
    images, targets = rng.integers(0, 256, (300, 32, 32, 3), np.uint8), rng.integers(0, 10, 300).tolist()
    for number in range(5):
        part = slice(50 * number, 50 * number + 50)
        (tmp_path / f"data_batch_{number + 1}").write_bytes(batch(images[part], b"labels", targets[part]))
    (tmp_path / "test_batch").write_bytes(batch(images[250:], b"labels", targets[250:]))
    return tmp_path, images


def test_original_cifar_batches_are_read(cifar: tuple[Path, np.ndarray]) -> None:
    folder, images = cifar
    dataset = load_dataset(f"cifar10:{folder}")
    assert dataset.train_inputs.shape == (250, 3, 32, 32)
    assert dataset.augmentation == "crop-flip"
    pixels = images[:250].astype(np.float64)
    expected = (pixels[7, 3, 5] - pixels.mean((0, 1, 2))) / pixels.std((0, 1, 2))
    assert np.allclose(dataset.train_inputs[7, :, 3, 5], expected, atol=1e-4)


def test_an_npz_file_is_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    parts = {f"X_{part}": rng.integers(0, 256, (count, 32, 32, 3), np.uint8) for part, count in COUNTS.items()}
    parts |= {f"y_{part}": rng.integers(0, 10, count) for part, count in COUNTS.items()}
    np.savez(tmp_path / "images.npz", **parts)
    dataset = load_dataset(f"cifar10:{tmp_path / 'images.npz'}")
    assert dataset.input_shape == (3, 32, 32)
    assert dataset.train_targets.tolist() == parts["y_train"].tolist()
    assert dataset.test_inputs.shape == (20, 3, 32, 32)


COUNTS = {"train": 50, "test": 20}


class Hostile:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, ("open('touched', 'w')",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "data_batch_3 is missing"),
        (b"not a pickle", "data_batch_3 is not a CIFAR batch"),
        (
            pickle.dumps({b"data": np.zeros((2, 3072), np.uint8), b"labels": [1]}, 2),
            "data_batch_3 is not a CIFAR batch",
        ),
        (pickle.dumps(Hostile(), 2), "it names .*eval"),
    ],
    ids=["missing", "garbage", "too few labels", "hostile"],
)
def test_a_bad_batch_is_named_and_runs_nothing(
    cifar: tuple[Path, np.ndarray], monkeypatch: pytest.MonkeyPatch, content: bytes | None, message: str
) -> None:
    folder, _ = cifar
    monkeypatch.chdir(folder)
    place = folder / "data_batch_3"
    if content is None:
        place.unlink()
    else:
        place.write_bytes(content)
    with pytest.raises(BenchmarkError, match=message):
        load_dataset(f"cifar10:{folder}")
    assert not (folder / "touched").exists()


def test_hugging_face_datasets_are_read(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="needs the extra huggingface")
    rng = np.random.default_rng(0)
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["a", "b"])})
    for split, count in (("train", 6), ("test", 4)):
        rows = {"image": list(rng.integers(0, 255, (count, 8, 8, 3), np.uint8)), "label": [0, 1] * (count // 2)}
        datasets.Dataset.from_dict(rows, features=features).to_parquet(tmp_path / f"{split}.parquet")
    dataset = load_dataset(f"hf:{tmp_path}")
    assert dataset.train_inputs.shape == (6, 3, 8, 8)
    assert dataset.test_targets.tolist() == [0, 1, 0, 1]
