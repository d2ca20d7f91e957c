"""The proxy: a formula with what it takes to compute it, callable on any untrained network, kept in one JSON file."""

from __future__ import annotations

import json
import math
import os
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zcproxy.columns.table import table_of
from zcproxy.errors import ConfigurationError, FormulaError, ModelError, ModelWarning
from zcproxy.formula import MAXIMUM_DEPTH, Kind, Node
from zcproxy.formula.evaluate import Evaluator
from zcproxy.formula.language import FIELD, LANGUAGE
from zcproxy.formula.text import has_readable_text
from zcproxy.models.initialisation import OWN, check_rule
from zcproxy.probing.beside import check_taught, reads_teacher
from zcproxy.probing.coverage import Coverage, first_of
from zcproxy.probing.expressions import compares_classes, looks_at_images, probes_of
from zcproxy.probing.measure import Measurement, measure
from zcproxy.probing.outputs import NamedOutput
from zcproxy.probing.own_loss import LossFunction, OwnLoss
from zcproxy.probing.probes import PROBES
from zcproxy.probing.teacher import Teacher, teacher_of
from zcproxy.proxy.file import FORMAT, MODELS_OWN
from zcproxy.storage.files import write_text
from zcproxy.text.visible import shortened
from zcproxy.user_code.chosen_teacher import chosen_teacher

NEGLIGIBLE, MOST = 0.01, 0.5
"""Shares of a network's parameters that no layer holds: above these, a score comes with a warning, or is refused."""


@dataclass(frozen=True)
class Proxy:
    """A zero-cost proxy: higher scores mean that a higher accuracy is expected.

    What is summed over layers counts a shared weight at each of its layers, every time with the gradient of all;
    divided by `weight_uses`, it counts once.

    Attributes:
        formula: a tree of kind `Network`; or of kind `Ranking`, a set of formulas, which ranks networks together and
            scores none alone: see `zcproxy.proxy.aggregate.aggregate_of`.
        name: what users call it.
        batch_size: samples of a minibatch that it was found with; a hint for callers.
        rule: by which weights are drawn where networks are built for it, see `zcproxy.models.initialisation`; the
            weights of a model that it is called on are taken as they are.
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
    rule: str = OWN

    def __post_init__(self) -> None:
        check_rule(self.rule)
        if self.formula.kind not in (Kind.NETWORK, Kind.RANKING):
            raise FormulaError(
                f"a proxy yields one number per network, but '{self.formula}' is of kind {self.formula.kind.value}: "
                "aggregate it, for example with sum(...)"
            )
        if not has_readable_text(self.formula):
            raise FormulaError(f"the formula is nested deeper than {MAXIMUM_DEPTH}: its text could not be read")

    @property
    def probes(self) -> list[str]:
        """Names of the probes it needs, in the order they run."""
        needed = probes_of(self.formula)
        return [name for name in PROBES if name in needed]

    @property
    def needs_images(self) -> bool:
        """Whether a probe looks at the pixels of the inputs rather than at their shape."""
        return looks_at_images(self.formula)

    def __call__(
        self,
        model: nn.Module,
        inputs: Tensor,
        targets: Tensor | None = None,
        *,
        loss: LossFunction | None = None,
        teacher: nn.Module | None = None,
        output: str = "",
    ) -> float:
        """Score an untrained network; it and the random state are left as they were.

        Args:
            model: maps `inputs` to logits. Its weights are taken as they are: initialise it first.
            inputs: samples x channels x height x width (or samples x anything a model takes), floating-point; or token
                ids, int64 or int32, of a model that looks them up in an embedding.
            targets: samples, int64 classes, for probes with a cross-entropy loss; None draws seeded random classes.
            loss: takes output and targets, of any kind, and stands for the cross-entropy.
            teacher: a second network that takes the same inputs, for formulas that read one; None for the one that was
                loaded, see `zcproxy.load_teacher`.
            output: the entry of what the model returns that is its logits: a key, a field, or the place in a tuple;
                empty for `logits`, else the last hidden state, see `zcproxy.probing.outputs`.

        Returns:
            The score; NaN where the formula is undefined or no signal passes the network. NaN ranks worst.

        Raises:
            FormulaError: the proxy is a set of formulas.
            ConfigurationError: a loss is given without targets; the formula reads a teacher, and there is none, or it
                takes other inputs.
            ModelError: the model raises, returns no tensor of floats (under the name `output`), has no weight layer, or
                holds NaN; most of its parameters of two or more dimensions are in operations that are not seen as
                layers.

        Warns:
            ModelWarning: more than a hundredth of them are, a convolution or linear map has a weight computed from the
                data, or the score is NaN since layers mix samples with others or no two samples have the same class.
        """
        self.check_alone()
        if loss is not None and targets is None:
            raise ConfigurationError("`loss` compares outputs with targets: give `targets` too")
        compared = targets if loss is None or targets is None else OwnLoss(loss, targets)
        beside = self._teacher(teacher) if reads_teacher(self.formula) else None
        measured = NamedOutput(model, output) if output and isinstance(model, nn.Module) else model
        measurement = measure(measured, inputs, compared, self.formula.columns(), beside=beside)
        score = self.score(measurement)
        _check(measurement.coverage, score)
        if math.isnan(score) and targets is not None and loss is None and compares_classes(self.formula):
            _check_classes(targets)
        return score

    def _teacher(self, given: nn.Module | None) -> Teacher:
        """Return the teacher that is given, else the one that was loaded. Raises `ConfigurationError` for none."""
        if given is not None:
            return Teacher(given)
        token = chosen_teacher()
        check_taught([f"'{shortened(self.name, 80)}'"], token)
        return teacher_of(token)

    def check_alone(self) -> None:
        """Raise `FormulaError` if the formula is a set, which scores no network alone."""
        if self.formula.kind is Kind.RANKING:
            raise FormulaError(
                f"'{shortened(self.name, 80)}' sums ranks of several formulas: it scores networks together "
                "(`zcproxy.score`, zcproxy table), not one alone"
            )

    def score(self, measurement: Measurement) -> float:
        """Return the score of a network whose columns have been measured."""
        table = table_of([measurement], self.formula.columns())
        return float(Evaluator(table.counts, table.values, table.blocks, table.connections)(self.formula)[0])

    def as_dict(self) -> dict[str, Any]:
        """Return what the proxy's file holds."""
        return {
            "format": FORMAT,
            FIELD: LANGUAGE,
            "name": self.name,
            "formula": str(self.formula),
            "description": self.description,
            "direction": "higher is better",
            "probes": {name: asdict(PROBES[name]) for name in self.probes},
            "initialisation": MODELS_OWN if self.rule == OWN else self.rule,
            "batch_size": self.batch_size,
            "provenance": dict(self.provenance),
            "correlations": [dict(item) for item in self.correlations],
            "versions": {"zcproxy": _version(), "torch": torch.__version__},
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file. Raises `StorageError` if it cannot be written whole."""
        write_text(Path(path), json.dumps(_finite(self.as_dict()), indent=2) + "\n")


def _check(coverage: Coverage, score: float) -> None:
    """Warn of what a score leaves out, or raise `ModelError` if that is most of the network."""
    share = coverage.unseen_share
    if share > NEGLIGIBLE:
        text = f"{share:.1%} of the parameters of two or more dimensions are in no layer that is seen"
        text = f"{text} (largest: {shortened(coverage.largest(), 300)})"
        if share > MOST:
            raise ModelError(f"{text}: a score would say nothing of them; compute with layers or functions of torch.nn")
        warnings.warn(f"{text}: the score leaves them out", ModelWarning, stacklevel=3)
    if coverage.generated:
        warnings.warn(
            f"a weight computed from the data makes no layer (in {shortened(first_of(coverage.generated), 300)}): the "
            "score leaves it out",
            ModelWarning,
            stacklevel=3,
        )
    if math.isnan(score) and coverage.mixed:
        names = shortened(first_of(coverage.mixed), 200)
        warnings.warn(
            f"layers do not have the samples on one axis ({names}): what compares samples is NaN",
            ModelWarning,
            stacklevel=3,
        )


def _check_classes(targets: Tensor) -> None:
    """Warn of a minibatch without two samples of one class."""
    if len(set(targets.tolist())) == len(targets):
        text = f"no two of the {len(targets)} samples have the same class: what compares samples of one class is NaN"
        warnings.warn(text, ModelWarning, stacklevel=3)


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
