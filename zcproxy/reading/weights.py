"""Files of a super-network's shared weights: written with a checksum, read without running code."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import torch
from torch import Tensor

from zcproxy.errors import BenchmarkError, ModelError
from zcproxy.reading.safe_pickle import read_torch
from zcproxy.storage.files import open_regular, replacing
from zcproxy.storage.sealed import DamagedError, is_sealed, read_sealed, seal

KIND = "weights-1"


def save_weights(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Write shared weights with a checksum. Raises `StorageError`."""
    stream = io.BytesIO()
    torch.save(dict(weights), stream)
    with replacing(path) as temporary:
        temporary.write_bytes(seal(stream.getvalue(), KIND))


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return shared weights that `save_weights` wrote, or that `torch.save` wrote without a checksum.

    Nothing but tensors is read.

    Raises:
        ModelError: the file is damaged, or holds something else.
    """
    try:
        with open_regular(path) as stream:
            if not is_sealed(stream.read(64)):
                stream.seek(0)
                return weights_in(stream, path)
        return weights_in(io.BytesIO(read_sealed(path, KIND).content), path)
    except OSError as error:
        raise ModelError(f"cannot read the weights {path}: it cannot be read ({error.strerror or error})") from error
    except DamagedError as error:
        raise ModelError(f"cannot read the weights {path}: it is damaged: {error}") from error


def weights_in(stream: IO[bytes], path: Path) -> dict[str, Tensor]:
    """Return the weights in a stream of `torch.save`; the path is named in errors. Raises `ModelError`."""
    try:
        content = read_torch(stream, str(path), "weights")
    except BenchmarkError as error:
        raise ModelError(f"cannot read the weights {path}: {error}") from error
    if not isinstance(content, dict) or not all(
        isinstance(name, str) and isinstance(value, Tensor) and value.is_floating_point() and not value.is_sparse
        for name, value in content.items()
    ):
        raise ModelError(f"{path} holds something else than weights by name")
    return content
