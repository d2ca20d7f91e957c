"""What networks are shown: own images, the dataset's files, a sample, crops; and what columns are keyed by."""

from __future__ import annotations

import os
import pickle
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from zcproxy.columns.context import Context, column_key
from zcproxy.columns.store import ColumnStore
from zcproxy.errors import BenchmarkError, ConfigurationError, ModelError, RunError
from zcproxy.images import own as own_images
from zcproxy.images.image_sets import ImageSet, keep_image_sets, kept_image_sets
from zcproxy.images.minibatch import blank_batch, images_of, minibatch
from zcproxy.images.own import import_images, own_batch, own_image_set, restore_images
from zcproxy.images.photographs import CROPS
from zcproxy.images.published import Images, image_batch, image_set
from zcproxy.names.tasks import get_task
from zcproxy.primitives import parse
from zcproxy.probing.measure import Measurement
from zcproxy.user_code.permission import stored_in

CIFAR = Images("cifar10", 32)
NOISE, PIXELS = parse("frobenius_norm(grad(weight)@noise)"), parse("frobenius_norm(grad(weight)@data)")


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data directory, and a cache of its own."""
    directory = tmp_path / "data"
    directory.mkdir()
    monkeypatch.setenv("ZCPROXY_DATA", str(directory))
    monkeypatch.setenv("ZCPROXY_CACHE", str(tmp_path / "cache"))
    own_images._kept.cache_clear()
    own_images._normalised.cache_clear()
    return directory


def official_batch(directory: Path, seed: int = 0) -> tuple[NDArray[np.uint8], list[int]]:
    rng = np.random.default_rng(seed)
    pixels, labels = rng.integers(0, 256, (40, 3072), dtype=np.uint8), [int(item) for item in rng.permutation(40) % 10]
    place = directory / "cifar-10-batches-py" / "data_batch_1"
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(pickle.dumps({b"data": pixels, b"labels": labels}, protocol=2))
    return pixels, labels


def saved(path: Path, **arrays: NDArray[np.generic]) -> str:
    np.savez(path, **arrays)
    return str(path)


def gradient_images(samples: int, *shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, (samples, *shape), dtype=np.uint8)


# What is at hand


def test_crops_stand_in_and_say_so(empty: Path) -> None:
    found = image_set(CIFAR)
    assert found.token == "photographs 1" == found.tag
    assert "in place of cifar10" in found.description and str(empty) in found.advice and "`images`" in found.advice
    batch = image_batch(CIFAR, 64, 10)
    assert batch.inputs.shape == (64, 3, 32, 32) and batch.targets.tolist() == [index % 10 for index in range(64)]
    assert batch.inputs.mean().abs() < 0.5 and 0.7 < batch.inputs.std() < 1.3
    assert len({image.numpy().tobytes() for image in batch.inputs}) == 64
    assert torch.equal(image_batch(CIFAR, 10, 10).inputs, batch.inputs[:10])
    near = torch.nn.functional.cosine_similarity(batch.inputs[..., 1:].flatten(1), batch.inputs[..., :-1].flatten(1))
    assert near.mean() > 0.9  # neighbouring pixels are alike, as in photographs
    with pytest.raises(BenchmarkError, match=f"1 to {CROPS}"):
        image_batch(CIFAR, CROPS + 1, 10)


def test_the_datasets_own_files_come_first(empty: Path) -> None:
    pixels, labels = official_batch(empty)
    found = image_set(CIFAR)
    assert found.token.startswith("official ") and "data_batch_1" in found.description and not found.advice
    batch = image_batch(CIFAR, 40, 10)
    assert sorted(batch.targets[:10].tolist()) == list(range(10))  # classes take turns
    mean, std = np.array([125.3, 123.0, 113.9]), np.array([63.0, 62.1, 66.7])
    back = np.rint(batch.inputs.numpy().transpose(0, 2, 3, 1) * std + mean).transpose(0, 3, 1, 2).reshape(40, -1)
    known = {row.tobytes(): label for row, label in zip(pixels, labels, strict=True)}
    assert [known[row.astype(np.uint8).tobytes()] for row in back] == batch.targets.tolist()
    official_batch(empty, seed=1)
    assert image_set(CIFAR).token != found.token
    with pytest.raises(BenchmarkError, match=r"no longer in .*: put cifar-10-batches-py back, or start again"):
        image_batch(CIFAR, 4, 10, found.token)


def test_a_sample_keeps_the_keys_that_it_had(real_data: Path, tmp_path: Path) -> None:
    store = ColumnStore(tmp_path, Context(get_task("nasbench201/cifar10")))
    assert store.images.token == "sample" and store.images.tag == ""
    assert {store.key(column) for column in (NOISE, PIXELS)} == {column_key(NOISE), column_key(PIXELS)}


def test_only_columns_that_look_at_images_are_keyed_by_them(empty: Path, tmp_path: Path) -> None:
    own = import_images(saved(tmp_path / "own.npz", images=gradient_images(8, 32, 32, 3)))
    context = Context(get_task("nasbench201/cifar10"), batch_size=4)
    crops, mine = ColumnStore(tmp_path, context), ColumnStore(tmp_path, replace(context, images=own))
    assert crops.folder == mine.folder
    measured = Measurement(1, {NOISE: np.ones(1), PIXELS: np.ones(1)})
    crops.write(["a"], [NOISE, PIXELS], [measured])
    assert ColumnStore(tmp_path, replace(context, images=own)).missing("a", [NOISE, PIXELS]) == (PIXELS,)
    mine.write(["a"], [PIXELS], [Measurement(1, {PIXELS: np.full(1, 2.0)})])
    for store, value in ((crops, 1.0), (mine, 2.0)):
        fresh = ColumnStore(tmp_path, store.context)
        assert fresh.table(["a"], [PIXELS]).values[PIXELS].tolist() == [value]
    official_batch(empty)
    assert ColumnStore(tmp_path, context).missing("a", [NOISE, PIXELS]) == (PIXELS,)


def test_a_blank_batch_has_the_shape() -> None:
    batch = blank_batch((3, 8, 8), 5)
    assert batch.inputs.shape == (5, 3, 8, 8) and batch.targets.tolist() == [0] * 5


# Images of the user


@pytest.mark.parametrize("layout", ["last", "first", "tensor", "floats"])
def test_arrays_in_any_order_of_axes_are_the_same_images(empty: Path, tmp_path: Path, layout: str) -> None:
    pixels, classes = gradient_images(12, 32, 32, 3), np.arange(12) % 3 + 5
    given = {"last": pixels, "floats": pixels.astype(np.float64) / 255}.get(layout, pixels.transpose(0, 3, 1, 2))
    token = import_images(saved(tmp_path / "own.npz", images=given, labels=classes))
    batch = own_batch(token, (3, 32, 32), 10, 12)
    expected = (pixels - pixels.mean((0, 1, 2))) / pixels.std((0, 1, 2))
    known = {tuple(np.round(image[0, 0], 3)): int(label) - 5 for image, label in zip(expected, classes, strict=True)}
    found = [known[tuple(np.round(image[:, 0, 0].numpy().astype(np.float64), 3))] for image in batch.inputs]
    assert found == batch.targets.tolist()
    assert sorted(batch.targets[:3].tolist()) == [0, 1, 2]
    assert torch.equal(own_batch(token, (3, 32, 32), 10, 5).inputs, batch.inputs[:5])


def test_pictures_of_a_folder(empty: Path, tmp_path: Path) -> None:
    for index, (size, mode) in enumerate([((90, 70), "RGB"), ((64, 80), "L"), ((300, 260), "RGB"), ((70, 70), "P")]):
        place = tmp_path / "pics" / "ba"[index % 2] / f"{index}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(gradient_images(1, size[1], size[0], 3)[0]).convert(mode).save(place)
    (tmp_path / "pics" / "notes.txt").write_text("no picture")
    token = import_images(str(tmp_path / "pics"))
    assert token.endswith(" pics")
    for shape in ((3, 64, 64), (3, 16, 16), (1, 12, 12), (3, 100, 100)):
        batch = own_batch(token, shape, 10, 4)
        assert batch.inputs.shape == (4, *shape) and sorted(batch.targets.tolist()) == [0, 0, 1, 1]
    puzzle = own_batch(token, (9, 3, 20, 20), 5, 4)
    assert puzzle.inputs.shape == (4, 9, 3, 20, 20) and puzzle.targets.max() < 5


def test_every_task_is_shown_own_images(empty: Path, tmp_path: Path) -> None:
    token = import_images(saved(tmp_path / "own.npz", x=gradient_images(6, 20, 20, 3)))
    for name in ("digits201", "nasbench201/cifar10", "transnas101/micro-jigsaw"):
        task = get_task(name)
        assert minibatch(task, 4, token).inputs.shape == (4, *task.input_shape)
        assert images_of(task, token).description.startswith("own.npz (6 images")
    assert images_of(get_task("digits201")).tag == ""


FUNCTIONS = """
import numpy as np
import torch


def alone():
    return torch.arange(6 * 3 * 8 * 8).reshape(6, 3, 8, 8) % 251


def pair():
    return alone(), torch.arange(6) % 2


class Items(torch.utils.data.Dataset):
    def __len__(self):
        return 6

    def __getitem__(self, index):
        return alone()[index].float(), index % 2


def items():
    return Items()


def fails():
    raise RuntimeError("no camera")


def nothing():
    return 3


value = 3
"""


def test_functions(empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "images_functions.py").write_text(FUNCTIONS)
    monkeypatch.chdir(tmp_path)
    for name, classes in (("alone", 6), ("pair", 2), ("items", 2)):
        batch = own_batch(import_images(f"images_functions:{name}"), (3, 8, 8), 10, 6)
        assert batch.inputs.shape == (6, 3, 8, 8) and len(set(batch.targets.tolist())) == classes
    with pytest.raises(ModelError, match=r"images_functions:fails failed.*no camera"):
        import_images("images_functions:fails")
    for name, message in (("nothing", "returned a int"), ("value", "cannot be called"), ("other", "has no 'other'")):
        with pytest.raises((BenchmarkError, ConfigurationError), match=message):
            import_images(f"images_functions:{name}")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": np.zeros((4, 5, 6, 7))}, r"shape \(4, 5, 6, 7\) is not a set of images"),
        ({"images": np.zeros((0, 5, 5, 3))}, "is not a set of images"),
        ({"images": np.full((4, 5, 5, 3), np.nan)}, "NaN"),
        ({"images": np.full((4, 5, 5, 3), "a")}, "pixels are"),
        ({"pictures": np.zeros((4, 5, 5, 3))}, "it has pictures, no X_train nor images"),
        ({"images": np.zeros((4, 5, 5, 3)), "labels": np.zeros(3, int)}, "4 images need 4 classes"),
        ({"images": np.zeros((4, 5, 5, 3)), "labels": np.zeros(4)}, "whole numbers"),
    ],
)
def test_arrays_that_are_no_images(
    empty: Path, tmp_path: Path, arrays: dict[str, NDArray[np.generic]], message: str
) -> None:
    with pytest.raises(BenchmarkError, match=message) as raised:
        import_images(saved(tmp_path / "own.npz", **arrays))
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 500


def test_files_that_are_no_images(empty: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.npz").write_text("no archive")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "x.png").write_bytes(b"\x89PNG no more")
    np.save(tmp_path / "one.npy", np.zeros(3))
    for name, message in (
        ("empty", "holds no pictures"),
        ("text.npz", "is not an npz file of images"),
        ("one.npy", "is not an npz file of images"),
        ("bad", "x.png is not a picture that can be read: take it out"),
        ("nowhere", "give a folder of pictures, an npz file, or package.module:function"),
    ):
        with pytest.raises((BenchmarkError, ConfigurationError), match=message) as raised:
            import_images(str(tmp_path / name))
        assert "\n" not in str(raised.value) and len(str(raised.value)) < 500


def test_batches_that_cannot_be_made_of_own_images(empty: Path, tmp_path: Path) -> None:
    token = import_images(saved(tmp_path / "own.npz", images=gradient_images(6, 8, 8, 3)))
    with pytest.raises(BenchmarkError, match=r"a batch of 7 images is not available: own.npz has 1 to 6"):
        own_batch(token, (3, 8, 8), 10, 7)
    with pytest.raises(ConfigurationError, match=r"inputs of shape 30 are not images: leave out images=own.npz"):
        own_batch(token, (30,), 10, 2)
    with pytest.raises(BenchmarkError, match="have 3 channels, the task takes 2"):
        own_batch(token, (2, 8, 8), 10, 2)
    flat = import_images(saved(tmp_path / "flat.npz", images=np.zeros((4, 8, 8, 3), np.uint8)))
    with pytest.raises(BenchmarkError, match=r"a channel of the images of flat.npz is constant"):
        own_batch(flat, (3, 8, 8), 10, 2)


def test_kept_images_are_checked(empty: Path, tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    token = import_images(saved(path, images=gradient_images(6, 8, 8, 3)))
    place = tmp_path / "cache" / "images" / f"{token.split()[1]}.npz"
    saved(place, pixels=gradient_images(6, 8, 8, 3)[::-1], targets=np.arange(6))
    with pytest.raises(BenchmarkError, match=r"has changed: delete it, and give the images own.npz again"):
        own_batch(token, (3, 8, 8), 10, 2)
    place.unlink()
    with pytest.raises(BenchmarkError, match=r"are not in the cache any more: give them again with `images`"):
        own_batch(token, (3, 8, 8), 10, 2)
    restore_images(str(path), token)
    assert own_batch(token, (3, 8, 8), 10, 2).inputs.shape == (2, 3, 8, 8)
    saved(path, images=gradient_images(5, 8, 8, 3))
    for other in (token, ""):
        with pytest.raises(ConfigurationError, match="the run was started with other images"):
            restore_images(str(path), other)


def test_a_torn_note_of_what_was_shown(tmp_path: Path) -> None:
    assert kept_image_sets(tmp_path) == {}
    keep_image_sets(tmp_path, {"a": ImageSet("photographs 1", "crops", "advice")})
    assert kept_image_sets(tmp_path) == {"a": ImageSet("photographs 1", "crops")}
    place = tmp_path / "images.json"
    for content in ('{"a": 3}', place.read_text().replace("crops", "cROPS"), '{"shown": {"a": {"token": 1}}}', ""):
        place.write_text(content)
        with pytest.raises(RunError, match=r"images.json: .*delete it to continue") as raised:
            kept_image_sets(tmp_path)
        assert "\n" not in str(raised.value) and len(str(raised.value)) < 500


@pytest.mark.parametrize("token", ["own", "own x", "own ../../../../etc/passwd a", "own 0123456789abcdef", "own  a"])
def test_a_token_of_a_changed_file_is_refused(empty: Path, token: str) -> None:
    for call in (lambda: own_image_set(token), lambda: own_batch(token, (3, 8, 8), 10, 2)):
        with pytest.raises(ConfigurationError, match="names no images: give `images`"):
            call()


def test_files_that_are_hostile(empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe.npz")
    folder = tmp_path / "pics"
    folder.mkdir()
    os.mkfifo(folder / "pipe.png")
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", bytes(2**27))
    with zipfile.ZipFile(tmp_path / "objects.npz", "w") as archive:
        archive.writestr("images.npy", b"\x93NUMPY\x01\x00\x10\x00{'descr': '|O'}\n")
    (tmp_path / "postscript").mkdir()
    (tmp_path / "postscript" / "x.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    (tmp_path / "large").mkdir()
    for side in (40, 60):  # a warning of Pillow, and an error
        place = tmp_path / "large" / "x.png"
        Image.new("RGB", (side, side)).save(place)
        with pytest.raises(
            BenchmarkError, match=r"x.png is not a picture that can be read: take it out .*exceeds limit"
        ):
            import_images(str(tmp_path / "large"))
    for name, message in (
        ("pipe.npz", "there are no images at"),
        ("pics", "holds no pictures"),
        ("bomb.npz", "is refused: it holds more than"),
        ("objects.npz", "is not an array of plain numbers"),
        ("postscript", "x.png is not a picture that can be read"),
        ("n" * 400, "there are no images at"),
    ):
        with pytest.raises((BenchmarkError, ConfigurationError), match=message) as raised:
            import_images(str(tmp_path / name))
        assert "\n" not in str(raised.value) and len(str(raised.value)) < 500
    monkeypatch.setattr("zcproxy.images.own.LARGEST_FILE", 1000)
    with pytest.raises(BenchmarkError, match=r"6 images of 8 x 8 pixels are too large to keep: shrink them"):
        import_images(saved(tmp_path / "own.npz", images=gradient_images(6, 8, 8, 3)))


def test_a_stored_file_names_no_function_for_images(
    empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "images_of_a_file.py").write_text("raise SystemExit('it ran')\n")
    monkeypatch.chdir(tmp_path)
    with stored_in(Path("run/configuration.json")):
        for token in ("images_of_a_file:pixels", "own images_of_a_file:pixels"):
            with pytest.raises(ConfigurationError):
                images_of(get_task("nasbench201/cifar10"), token)
        with pytest.raises(ConfigurationError, match="nothing of a file is executed"):
            import_images("images_of_a_file:pixels")
