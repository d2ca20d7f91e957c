"""Minibatches of the published datasets for the probes that look at images.

They are made of the first of these that is at hand: the dataset's own files in the data directory (CIFAR), a sample of
it there, crops of photographs that come with a dependency. Images come in one fixed order per dataset, seeded by its
name: a smaller batch is the beginning of a larger one. Classes take turns, so that no class appears a second time
before every class has appeared once.
"""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from zcproxy.benchmarks.datasets.cifar import FOLDERS, first_training_file, read_batch
from zcproxy.contracts.dataset import alternating_order
from zcproxy.contracts.task import Batch
from zcproxy.errors import BenchmarkError, ConfigurationError, nearest_names
from zcproxy.extras import extra
from zcproxy.images.image_sets import OFFICIAL, PHOTOGRAPHS, SAMPLE, ImageSet
from zcproxy.images.photographs import CROPS, VERSION, photograph_crops, photograph_moments
from zcproxy.random import array_generator
from zcproxy.reading.data_directory import configured_directory, sha256_of, verified_file

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class _Source:
    """A file of images, and how its dataset is normalised.

    Attributes:
        file: path in the data directory.
        sha256: sha256 of the file.
        mean: mean of the dataset in units of 0..255, per RGB channel.
        std: standard deviation likewise.
        side: height and width that the dataset has; None where the images are photographs, shrunk as asked for.
        filter: how photographs are shrunk, as Pillow calls it.
        classes: classes of the dataset's own files, where they are read (CIFAR); 0 elsewhere.
    """

    file: str
    sha256: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    side: int | None = None
    filter: Literal["BILINEAR", "BOX"] = "BILINEAR"
    classes: int = 0


_PHOTOGRAPHS = "images/imagenet_64x224_jpeg.tar"
_PHOTOGRAPHS_SHA256 = "1e057c62ad5ce7a9f47e40d3f16ae51232e202034194527ea6e094f96ec1f47e"
PHOTOGRAPH_SIDE = 224

# The moments of the first three are those of NAS-Bench-201's training (github.com/D-X-Y/AutoDL-Projects), of ImageNet
# the usual ones, of Taskonomy those of TransNAS-Bench-101 (github.com/yawen-d/TransNASBench).
_SOURCES = {
    "cifar10": _Source(
        "images/cifar10_sample.npz",
        "87e17e7922a7e9e688aa2038d3788256a130cd8d20524aafa13f2103fb80708a",
        (125.3, 123.0, 113.9),
        (63.0, 62.1, 66.7),
        side=32,
        classes=10,
    ),
    "cifar100": _Source(
        "images/cifar100_sample.npz",
        "0e0ce0eefddf857b743d00135b50d69add3a421e5a53afab968ba8b3ed4a5d6d",
        (129.3, 124.1, 112.4),
        (68.2, 65.4, 70.4),
        side=32,
        classes=100,
    ),
    "imagenet16-120": _Source(
        *(_PHOTOGRAPHS, _PHOTOGRAPHS_SHA256, (122.68, 116.66, 104.01), (63.22, 61.26, 65.09)),
        filter="BOX",
    ),
    "imagenet": _Source(_PHOTOGRAPHS, _PHOTOGRAPHS_SHA256, (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
    "taskonomy": _Source(_PHOTOGRAPHS, _PHOTOGRAPHS_SHA256, (133.21, 133.16, 133.14), (56.97, 56.99, 57.02)),
}


@dataclass(frozen=True)
class Images:
    """Images of one dataset and size.

    Attributes:
        dataset: `cifar10`, `cifar100`, `imagenet16-120`, `imagenet`, or `taskonomy`, which photographs of ImageNet
            stand for.
        side: height and width in pixels; of a tile where images are puzzles.
        puzzle: whether an image is cut into nine tiles that are shuffled, the target being the order they come in.
    """

    dataset: str
    side: int
    puzzle: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a sample: channels, height, width, with the tiles before them in a puzzle."""
        return (TILES, 3, self.side, self.side) if self.puzzle else (3, self.side, self.side)


TILES, TILES_A_SIDE = 9, 3


def image_set(images: Images, chosen: str = "") -> ImageSet:
    """Return what minibatches of a dataset are made of.

    Args:
        images: the dataset.
        chosen: token of what was found before; empty looks what is at hand.

    Raises:
        BenchmarkError: the dataset is unknown, or what was found before is not at hand or has changed.
    """
    source = _source(images)
    official = _official_file(source)
    sample = configured_directory() / source.file
    if not chosen:
        kind = OFFICIAL if official else SAMPLE if sample.is_file() else PHOTOGRAPHS
        chosen = kind if kind == SAMPLE else f"{kind} {_digest(official) if official else VERSION}"
    kind, _, digest = chosen.partition(" ")
    if kind == SAMPLE:
        return ImageSet(SAMPLE, f"{sample.name} in the data directory")
    if kind == PHOTOGRAPHS:
        place = f"put {FOLDERS[source.classes]} into {configured_directory()} or " if source.classes else ""
        found = f"crops of two photographs in place of {images.dataset}"
        return ImageSet(chosen, found, f"to use others, {place}give `images`")
    if kind != OFFICIAL:
        raise ConfigurationError(f"unknown images '{chosen}': name them with `images`, or call `import_images` first")
    if official is None or _digest(official) != digest:
        raise BenchmarkError(
            f"the {images.dataset} images that the run was started with are no longer in {configured_directory()}: put "
            f"{FOLDERS.get(source.classes, images.dataset)} back, or start again"
        )
    return ImageSet(chosen, f"training images of {images.dataset} ({FOLDERS[source.classes]}/{official.name})")


def image_batch(images: Images, size: int, classes: int, chosen: str = "") -> Batch:
    """Return the first `size` images, normalised per channel, and their classes.

    CIFAR images are training images, 32 x 32. Others are photographs shrunk by a filter: a box for ImageNet16-120, as
    Chrabaszcz et al. (arXiv 1707.08819) made that dataset, else a triangle. The 64 photographs of a sample show one
    class each and are not confined to the classes of the benchmark: a target is the rank of the photograph's synset
    among the 64, taken modulo `classes`. Crops that stand in have a class each, modulo `classes`, and are normalised by
    the moments of their photographs. In a puzzle the target is one of `classes` orders of the tiles.

    Args:
        images: what is asked for.
        size: how many.
        classes: targets are below this.
        chosen: what they are made of: token of an `ImageSet`; empty for what is at hand.

    Raises:
        BenchmarkError: the dataset is unknown or has no images of this size, `size` is out of range, or the file is
            missing or changed.
    """
    source = _source(images)
    found = image_set(images, chosen)
    kind = found.token.partition(" ")[0]
    side = _side(images, source)
    if kind == PHOTOGRAPHS:
        _check_size(size, CROPS, images.dataset, found.description)
        mean, std = photograph_moments()
        pixels, targets = photograph_crops(size, side), np.arange(size, dtype=np.int64)
    else:
        path = _official_file(source) if kind == OFFICIAL else verified_file(source.file, source.sha256)
        assert path is not None  # `image_set` has found it
        whole, classes_of_all = _pixels(path, source, side)
        _check_size(size, len(whole), images.dataset, path.name)
        order = alternating_order(classes_of_all, array_generator("images", images.dataset))[:size]
        pixels, targets = whole[order], classes_of_all[order]
        mean, std = np.array(source.mean), np.array(source.std)
    inputs = torch.from_numpy(((pixels - mean) / std).astype(np.float32).transpose(0, 3, 1, 2).copy())
    labels = torch.from_numpy(targets % classes)
    return puzzles(inputs, classes) if images.puzzle else Batch(inputs, labels)


def _source(images: Images) -> _Source:
    if images.dataset not in _SOURCES:
        hint = nearest_names(images.dataset, _SOURCES)
        raise BenchmarkError(f"no images of dataset {images.dataset!r}{hint}; known datasets: {', '.join(_SOURCES)}")
    return _SOURCES[images.dataset]


def _official_file(source: _Source) -> Path | None:
    """Return the dataset's own file of training images in the data directory, or None."""
    path = first_training_file(configured_directory(), source.classes) if source.classes else None
    return path if path is not None and path.is_file() else None


def _digest(path: Path) -> str:
    state = path.stat()
    return _digest_of_state(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=4)
def _digest_of_state(path: Path, mtime_ns: int, size: int) -> str:
    return sha256_of(path)[:16]


def _check_size(size: int, most: int, dataset: str, name: str) -> None:
    if not 1 <= size <= most:
        raise BenchmarkError(f"a batch of {size} {dataset} images is not available: {name} has 1 to {most}")


def _side(images: Images, source: _Source) -> int:
    """Return the height and width of whole images. Raises `BenchmarkError` if there are none of that size."""
    if source.side is not None:
        if images.side != source.side:
            raise BenchmarkError(f"{images.dataset} has images of {source.side} pixels a side, not {images.side}")
        return source.side
    side = TILES_A_SIDE * images.side if images.puzzle else images.side
    if not 1 <= side <= PHOTOGRAPH_SIDE:
        most = PHOTOGRAPH_SIDE // TILES_A_SIDE if images.puzzle else PHOTOGRAPH_SIDE
        what = "tiles" if images.puzzle else "images"
        raise BenchmarkError(f"{what} of {images.side} pixels a side were asked for, a photograph gives 1 to {most}")
    return side


def _pixels(path: Path, source: _Source, side: int) -> tuple[Pixels, NDArray[np.int64]]:
    """Return all images of a file (samples x height x width x 3) and their classes."""
    if source.side is None:
        return _photographs(path, side, source.filter)
    return _arrays(path) if path.suffix == ".npz" else _batch_of(path, source.classes, path.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _batch_of(path: Path, classes: int, mtime_ns: int) -> tuple[Pixels, NDArray[np.int64]]:
    return read_batch(path, classes)


@cache
def _arrays(path: Path) -> tuple[Pixels, NDArray[np.int64]]:
    with np.load(path, allow_pickle=False) as arrays:
        return arrays["X_train"], arrays["y_train"].astype(np.int64)


@cache
def _photographs(path: Path, side: int, resampling: Literal["BILINEAR", "BOX"]) -> tuple[Pixels, NDArray[np.int64]]:
    """Return the photographs of an archive at side x side, ordered by synset, and their ranks."""
    with extra("images", f"reading {path.name}"):
        from PIL import Image
    images = []
    with tarfile.open(path) as archive:
        for member in sorted(archive.getmembers(), key=lambda member: member.name):
            with Image.open(archive.extractfile(member)) as photograph:  # type: ignore[arg-type]  # members are files
                images.append(np.asarray(photograph.convert("RGB").resize((side, side), Image.Resampling[resampling])))
    return np.stack(images), np.arange(len(images), dtype=np.int64)


def puzzles(inputs: torch.Tensor, classes: int) -> Batch:
    """Return nine shuffled tiles of each image (samples x 9 x channels x side x side), and the number of the order.

    Orders are drawn at random (Noroozi and Favaro, ECCV 2016, take those that differ most).
    """
    samples, channels, side = len(inputs), inputs.shape[1], inputs.shape[2] // 3
    rows = inputs.reshape(samples, channels, 3, side, 3, side).permute(0, 2, 4, 1, 3, 5)
    tiles = rows.reshape(samples, TILES, channels, side, side)
    rng = array_generator("puzzles", classes)
    orders = np.stack([rng.permutation(TILES) for _ in range(classes)])
    numbers = rng.permutation(classes)[np.arange(len(inputs)) % classes]
    shuffled = torch.stack(
        [image[order] for image, order in zip(tiles, torch.from_numpy(orders[numbers]), strict=True)]
    )
    return Batch(shuffled, torch.from_numpy(numbers.astype(np.int64)))
