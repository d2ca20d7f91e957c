"""Image datasets that `zcproxy benchmark build` trains on, by reference: `digits`, `cifar10:FOLDER`, `hf:NAME`, ..."""

from __future__ import annotations

from collections.abc import Callable

from zcproxy.benchmarks.datasets.cifar import load_cifar
from zcproxy.benchmarks.datasets.digits import load_digits
from zcproxy.benchmarks.datasets.huggingface import load_huggingface
from zcproxy.benchmarks.datasets.own import load_own
from zcproxy.contracts.dataset import ImageDataset as ImageDataset
from zcproxy.errors import ConfigurationError, unknown

# Word before the colon -> (form to show, loader of what follows the colon).
_WITH_PLACE: dict[str, tuple[str, Callable[[str], ImageDataset]]] = {
    "cifar10": ("cifar10:FOLDER", lambda place: load_cifar(place, classes=10)),
    "cifar100": ("cifar100:FOLDER", lambda place: load_cifar(place, classes=100)),
    "hf": ("hf:NAME", load_huggingface),
}


def load_dataset(reference: str) -> ImageDataset:
    """Return the dataset that a reference names.

    Args:
        reference: `digits`; `cifar10:FOLDER` or `cifar100:FOLDER` (original Python batches, or an npz file); `hf:NAME`
            (Hugging Face, needs the extra `huggingface`); or `package.module:function`, see `own.load_own`.

    Raises:
        ConfigurationError: the reference has none of these forms, or names what cannot be imported.
        BenchmarkError: files are missing or corrupt, images vary in shape, or there is one class only.
    """
    if reference == "digits":
        return load_digits()
    word, colon, place = reference.partition(":")
    if word in _WITH_PLACE and place:
        return _WITH_PLACE[word][1](place)
    if colon and place:
        return load_own(reference)
    forms = ["digits", *(form for form, _ in _WITH_PLACE.values()), "package.module:function"]
    raise ConfigurationError(
        unknown("dataset", reference, ["digits", *_WITH_PLACE], f"write one of {', '.join(forms)}")
    )
