"""Latencies of Once-for-All MobileNetV3 on graphics cards, predicted from those of 5,000 measured sub-networks.

HELP (Lee et al., NeurIPS 2021, arXiv 2106.08630) measured random sub-networks at resolutions of 128 to 224 on four
cards with three batch sizes (`v100_64`). The space has more than 10^19: a latency is predicted as the sum of those of
its blocks.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zcproxy.benchmarks.once_for_all.mobilenetv3 import STAGES
from zcproxy.benchmarks.once_for_all.mobilenetv3_space import BLOCKS, DEPTHS, MobileNetV3Space
from zcproxy.benchmarks.shared.label_table import ARCHITECTURE, Converted, KnownFile, TableSource
from zcproxy.contracts.measurements import Measurements
from zcproxy.errors import BenchmarkError
from zcproxy.extras import extra
from zcproxy.reading.npz import read_npz
from zcproxy.reading.plain_values import dictionary, read_json, whole_number

Array = NDArray[np.float64]

DEVICES = tuple(f"{card}_{batch}" for card in ("2080ti", "titan_rtx", "titan_xp", "v100") for batch in (1, 32, 64))
RESOLUTION = 224
"""Side of the images that latencies are predicted for, and that accuracies were measured on."""

RESOLUTIONS = range(32, 1025)
"""Sides that make sense; those measured are 128 to 224."""

PENALTIES = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)
_AT, _QUANTITY = "@", "latency_ms:"
_PLACES = list(product(range(len(STAGES)), range(max(DEPTHS)), BLOCKS))


def predicted_latencies() -> Measurements:
    """Return the latency of every sub-network on every device as `latency_ms:DEVICE`."""
    names = {f"{_QUANTITY}{device}" for device in DEVICES}
    return Measurements(
        "the latencies of ofa_mobilenetv3",
        names,
        lambda name, architectures: predicted_latency(name.removeprefix(_QUANTITY), architectures),
    )


def predicted_latency(device: str, architectures: Sequence[str]) -> Array:
    """Return latencies in ms of a batch of images of side 224.

    Args:
        device: one of `DEVICES`; the number at its end is the batch size.
        architectures: texts of sub-networks.

    Raises:
        BenchmarkError: the measurements are not in the data directory, or an architecture is not in the space.
    """
    return np.asarray(_model(device).predict(features(architectures, np.full(len(architectures), RESOLUTION))))


def features(architectures: Sequence[str], resolutions: Array) -> Array:
    """Return the features of a linear model: the blocks at their places, alone and times the pixels; and the pixels."""
    columns = {place: column for column, place in enumerate(_PLACES)}
    blocks = np.zeros((len(architectures), len(_PLACES)))
    for row, text in enumerate(architectures):
        for stage, content in enumerate(MobileNetV3Space().decode(text)):
            for place, block in enumerate(content):
                blocks[row, columns[stage, place, block]] = 1.0
    pixels = (np.asarray(resolutions, np.float64) / RESOLUTION)[:, None] ** 2
    return np.hstack([blocks, blocks * pixels, pixels])


def measured() -> tuple[list[str], Array, Mapping[str, Array]]:
    """Return sub-networks, resolutions, and by device latencies in ms. Raises `BenchmarkError` if there are none."""
    table = MEASUREMENTS.load()
    texts, resolutions = zip(*(text.split(_AT) for text in table.rows), strict=True)
    return list(texts), np.array(resolutions, np.float64), table.columns


@cache
def _model(device: str) -> Any:
    """Return a `RidgeCV` of scikit-learn that was fitted to the latencies on a device."""
    with extra("predictors", "a latency of ofa_mobilenetv3"):
        from sklearn.linear_model import RidgeCV
    texts, resolutions, latencies = measured()
    return RidgeCV(PENALTIES).fit(features(texts, resolutions), latencies[device])


def convert_measurements(contents: Sequence[bytes]) -> Converted:
    """Return the table in the files of HELP: sub-networks, each with its resolution, and one column per device.

    Raises:
        BenchmarkError: they are something else.
    """
    try:
        settings = dictionary(read_json(contents[0]))["arch"]
        columns = read_npz(io.BytesIO(contents[1]), DEVICES, "the file of latencies")
        odd = next((device for device, values in columns.items() if values.ndim != 1 or values.dtype.kind != "f"), None)
        if odd is not None:
            raise ValueError(f"those of {odd} are not a list of numbers")
        texts = [f"{MobileNetV3Space().from_official(setting)}{_AT}{_resolution(setting)}" for setting in settings]
        return Converted(pd.DataFrame({ARCHITECTURE: texts, **columns}).drop_duplicates(ARCHITECTURE))
    except (LookupError, TypeError, ValueError) as error:
        raise BenchmarkError(f"these are not latencies of Once-for-All sub-networks: {error!r:.200}") from error


def _resolution(setting: Mapping[str, Any]) -> int:
    resolution = whole_number(setting["r"])
    if resolution not in RESOLUTIONS:
        raise ValueError(f"images have {RESOLUTIONS.start} to {RESOLUTIONS.stop - 1} pixels a side")
    return resolution


MEASUREMENTS = TableSource(
    "ofa_mobilenetv3",
    "latencies",
    (
        KnownFile("ofa_archs.json", "0e7786f3ac93614b9c48cc4e25f8d8d2f2fb2a77bfe3c81e294facd03d421929"),
        KnownFile("ofa_latency.npz", "5452f6cb88983d5f21d130560c09c5b2d98fb8288301cf1fc4f6cc34efb95ec9"),
    ),
    convert_measurements,
    DEVICES,
)
