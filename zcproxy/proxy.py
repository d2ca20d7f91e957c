"""The proxy: a formula with what it takes to compute it, callable on any untrained network, kept in one JSON file."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zcproxy.errors import FormulaError, ProxyFileError
from zcproxy.files import write_text
from zcproxy.formula import Kind, Node, parse
from zcproxy.formula.evaluate import Evaluator
from zcproxy.proxies import FILES, file_of
from zcproxy.sweep.expressions import looks_at_images, probes_of
from zcproxy.sweep.measure import Measurement, measure
from zcproxy.sweep.probes import PROBES
from zcproxy.sweep.table import table_of

_FIELDS: dict[str, tuple[type, Any]] = {
    "probes": (dict, {}),
    "description": (str, ""),
    "batch_size": (int, 8),
    "provenance": (dict, {}),
    "correlations": (list, []),
}
"""What a file may hold beside name and formula, with type and default."""

_LATER_FIELDS = {"per_sample": False}
_LATER_FIELDS_OF_A_PASS = {"gaussian_weights": False}
"""What a probe and its passes have that files written before do not mention, and what it was then."""

FORMAT = 1
"""Version of the file format; files of a newer one are refused."""


@dataclass(frozen=True)
class Proxy:
    """A zero-cost proxy: higher scores mean that a higher accuracy is expected.

    Attributes:
        formula: a tree of kind `Network`.
        name: how people call it.
        batch_size: samples of a minibatch that it was found with; a hint for callers.
        provenance: where it comes from: run, seed, tasks, sizes of the samples.
        correlations: measured correlations, each with its task, population and interval.
        description: in plain words, what it measures and where it fails.
    """

    formula: Node
    name: str = "proxy"
    batch_size: int = 8
    provenance: Mapping[str, Any] = field(default_factory=dict)
    correlations: tuple[Mapping[str, Any], ...] = ()
    description: str = ""

    def __post_init__(self) -> None:
        if self.formula.kind is not Kind.NETWORK:
            raise FormulaError(
                f"a proxy yields one number a network, but '{self.formula}' is of kind {self.formula.kind.value}: "
                "aggregate it, for example with sum(...)"
            )

    @property
    def probes(self) -> list[str]:
        """Names of the probes it needs, in the order they run."""
        needed = probes_of(self.formula)
        return [name for name in PROBES if name in needed]

    @property
    def needs_images(self) -> bool:
        """Whether a probe looks at the pixels of the inputs rather than at their shape."""
        return looks_at_images(self.formula)

    def __call__(self, model: nn.Module, inputs: Tensor, targets: Tensor | None = None) -> float:
        """Score an untrained network; it and the random state are left as they were.

        Args:
            model: maps `inputs` to logits. Its weights are taken as they are: initialise it first.
            inputs: samples x channels x height x width (or samples x anything a model takes), floating-point.
            targets: samples, int64 classes, for probes with a cross-entropy loss; None draws seeded random classes.

        Returns:
            The score; NaN where the formula is undefined or no signal passes the network. NaN ranks worst.

        Raises:
            ModelError: the model raises, returns no tensor of floats, has no weight layer, or holds NaN.
        """
        measurement = measure(model, inputs, targets, self.formula.columns())
        return self.score(measurement)

    def score(self, measurement: Measurement) -> float:
        """Return the score of a network whose columns have been measured."""
        table = table_of([measurement], self.formula.columns())
        return float(Evaluator(table.counts, table.values)(self.formula)[0])

    def as_dict(self) -> dict[str, Any]:
        """Return what the proxy's file holds."""
        return {
            "format": FORMAT,
            "name": self.name,
            "formula": str(self.formula),
            "description": self.description,
            "direction": "higher is better",
            "probes": {name: asdict(PROBES[name]) for name in self.probes},
            "initialisation": "the model's own",
            "batch_size": self.batch_size,
            "provenance": dict(self.provenance),
            "correlations": [dict(item) for item in self.correlations],
            "versions": {"zcproxy": _version(), "torch": torch.__version__},
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file. Raises `StorageError` if it cannot be written whole."""
        write_text(Path(path), json.dumps(_finite(self.as_dict()), indent=2) + "\n")


def load_proxy(path: str | os.PathLike[str]) -> Proxy:
    """Read a proxy: a file, or one that comes with the package, by its name (`zc-general`). Nothing is executed.

    Raises:
        ProxyFileError: the file is missing, no JSON, incomplete, or of a newer format.
        FormulaError: its formula does not parse.
    """
    place = file_of(str(path)) if str(path) in FILES else Path(path)
    try:
        content = json.loads(place.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProxyFileError(f"cannot read the proxy file {place}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ProxyFileError(f"{place} is no proxy file: it does not hold valid JSON ({error})") from error
    if not isinstance(content, dict) or not isinstance(content.get("formula"), str):
        raise ProxyFileError(f"{place} is no proxy file: it has no text under 'formula'")
    version = content.get("format")
    if not isinstance(version, int) or version < 1:
        raise ProxyFileError(f"{place} has no format version under 'format'; this zcproxy writes {FORMAT}")
    if version > FORMAT:
        raise ProxyFileError(f"{place} has format {version}, this zcproxy reads up to {FORMAT}: upgrade zcproxy")
    for key, (kind, default) in _FIELDS.items():
        if not isinstance(content.setdefault(key, default), kind):
            raise ProxyFileError(f"{place} has something else than a {kind.__name__} under '{key}'")
    _check_probes(place, content["probes"])
    try:
        return Proxy(
            parse(content["formula"]),
            name=str(content.get("name", place.stem)),
            description=content["description"],
            batch_size=content["batch_size"],
            provenance=content["provenance"],
            correlations=tuple(content["correlations"]),
        )
    except FormulaError as error:
        raise FormulaError(f"{place}: {error}") from error


def _check_probes(place: Path, probes: Mapping[str, Any]) -> None:
    """Refuse a file whose probes are defined otherwise than here: its scores would not be the ones it reports."""
    for name, definition in probes.items():
        if name not in PROBES:
            raise ProxyFileError(f"{place} uses the probe '{name}', known are {', '.join(PROBES)}")
        if _completed(definition) != json.loads(json.dumps(asdict(PROBES[name]))):
            raise ProxyFileError(
                f"{place} defines the probe '{name}' differently from this zcproxy: use the version that wrote it"
            )


def _completed(probe: Mapping[str, Any]) -> dict[str, Any]:
    """Return the definition of a probe with what later versions added to it."""
    passes = {key: value for key, value in probe.items() if key in ("run", "minus") and isinstance(value, dict)}
    return {
        **_LATER_FIELDS,
        **probe,
        **{key: {**_LATER_FIELDS_OF_A_PASS, **value} for key, value in passes.items()},
    }


def _finite(value: Any) -> Any:
    """Return the value with NaN and infinities as None, which is what JSON can say."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _version() -> str:
    from zcproxy import __version__

    return __version__
