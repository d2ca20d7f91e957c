"""Adapts to a space of which few networks have labels: measures candidates, decides, and records it in a proxy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zcproxy.adapting.candidates import checked_candidates
from zcproxy.adapting.decision import Decision, Rule, decide
from zcproxy.adapting.labels import canonical_labels
from zcproxy.adapting.measuring import Measuring, Source
from zcproxy.adapting.weighing import DIGITS, Term
from zcproxy.errors import ConfigurationError, check_known
from zcproxy.figures.axes import axes_or_new, finish, label
from zcproxy.figures.style import BLUE, GREY, ORANGE
from zcproxy.formula import Node
from zcproxy.images.image_sets import ImageSet
from zcproxy.images.minibatch import images_of
from zcproxy.models.device import check_device
from zcproxy.names.subjects import Subject
from zcproxy.notebook.shown import Shown
from zcproxy.primitives import parse
from zcproxy.proxy.proxy import Proxy
from zcproxy.ranking.scoring import setting_of
from zcproxy.workers.progress import Step, silent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAME = "adapted"
"""The name of the proxy, and of its record in `provenance` too."""


@dataclass(frozen=True, repr=False)
class Adaptation(Shown):
    """A proxy for a space.

    Attributes:
        proxy: a candidate, or a formula of several; the record of the decision is in its provenance.
        candidates: what it was made from, the general one first.
        decision: what the labels say of them.
        images: what the networks were shown; None where no candidate looks at images.
    """

    proxy: Proxy
    candidates: tuple[Proxy, ...]
    decision: Decision
    images: ImageSet | None = None

    @property
    def headline(self) -> str:
        """What was chosen, its formula, and the tau to expect beside that of the general candidate."""
        names = [self.candidates[term.place].name for term in self.decision.terms]
        chosen = names[0] if len(names) == 1 else f"a weighed sum of {', '.join(names)}"
        record = self.proxy.provenance[NAME]
        return (
            f"chosen by {record['networks']} labels of {record['task']}: {chosen}\n{self.proxy.formula}\n"
            f"tau to expect on networks without labels: {self.decision.expected}, cross-validated with the choice; "
            f"of {self.candidates[0].name} alone: {self.decision.general}"
        )

    def to_frame(self) -> pd.DataFrame:
        """Return what was chosen among, a row per candidate, the general one first.

        `weight` is what its logarithm has in the formula, 1 where it is chosen alone, 0 where it takes no part; `tau`
        is on the labels, `gain` the tau to expect on other networks less that of the general candidate, with the
        standard `deviation` of the gain.
        """
        weights = {term.place: term.weight for term in self.decision.terms}
        return pd.DataFrame(
            {
                "candidate": [proxy.name for proxy in self.candidates],
                "weight": [weights.get(place, 0.0) for place in range(len(self.candidates))],
                "tau": self.decision.taus,
                "gain": self.decision.gains,
                "deviation": self.decision.deviations,
                "formula": [str(proxy.formula) for proxy in self.candidates],
            }
        )

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw what is to be expected of each candidate ahead of the general one, with its standard deviation.

        Args:
            axes: of matplotlib, to draw into; None for those of a new figure.

        Raises:
            ConfigurationError: matplotlib is not installed.
        """
        drawn, frame = axes_or_new(axes), self.to_frame()[::-1].reset_index(drop=True)
        takes_part = frame["weight"] > 0
        for part, colour, text in ((~takes_part, GREY, "takes no part"), (takes_part, ORANGE, "in the formula")):
            shown = frame[part]
            if len(shown):
                drawn.errorbar(
                    shown["gain"], shown.index, xerr=shown["deviation"], fmt="o", color=colour, capsize=3, label=text
                )
        drawn.axvline(0.0, color=BLUE, linewidth=1)
        drawn.set_yticks(range(len(frame)), [label(name) for name in frame["candidate"]])
        drawn.legend(frameon=False)
        record = self.proxy.provenance[NAME]
        title = f"{record['task']}: {record['networks']} labels"
        return finish(drawn, title=title, across=f"tau expected ahead of {label(self.candidates[0].name)}")


def adapt(
    reference: str,
    labels: Mapping[str, float],
    candidates: Sequence[Proxy],
    *,
    rule: str = Rule.WEIGH,
    input_shape: tuple[int, ...] | None = None,
    classes: int = 10,
    initialisations: int = 1,
    seed: int = 0,
    device: str = "cpu",
    images: str = "",
    executor: Executor | None = None,
    cache: Path | None = None,
    step: Step | None = None,
) -> Adaptation:
    """Choose among proxies, or weigh them, for a space of which 10 to 500 networks have labels.

    The first, general candidate stays unless labels speak against it.

    Args:
        reference: a task, a super-network, a space, or `package.module:name` of one, as `zcproxy.names.subjects` reads
            it. Labels that a task has itself play no part.
        labels: accuracies by architecture, the higher the better.
        candidates: two or more proxies of different names, the general one first.
        rule: `choose` for one of the candidates, `weigh` for a weighted sum of the logarithms of up to four.
        input_shape: shape of a sample, for a space without a dataset.
        classes: logits, for such a space.
        initialisations: how many random initialisations each network is measured with; taus are means over them.
        seed: of the splits behind the expectation; the proxy does not depend on it.
        device: `cpu` or `cuda`.
        images: token of the user's images, see `zcproxy.images.own`; empty for what is at hand.
        executor: where networks are measured, see `zcproxy.workers.pool.worker_pool`; None for this process.
        cache: the cache directory; the default one if None.
        step: called with the progress.

    Raises:
        BenchmarkError: there is no such space; labels are too few, too many, all equal, not finite, or of an
            architecture that is not in the space.
        ConfigurationError: candidates are too few or share a name, there is no such rule, or no such device.
        ModelError: a network cannot be measured.

    Example:
        >>> import zcproxy
        >>> task = zcproxy.get_task("digits201")
        >>> networks = task.architectures("all")[:12]
        >>> labels = dict(zip(networks, task.labels(networks)))
        >>> candidates = [zcproxy.load_proxy(name) for name in ("naswot", "zen")]
        >>> found = zcproxy.adapt("digits201", labels, candidates, rule="choose")
        >>> found.proxy.provenance["adapted"]["networks"]
        12
        >>> list(found.to_frame()["candidate"])
        ['naswot', 'zen']
        >>> axes = found.plot()
        >>> found.decision.expected.low <= found.decision.expected.tau <= found.decision.expected.high
        True
    """
    check_device(device)
    check_known("rule", rule, Rule)
    if initialisations < 1:
        raise ConfigurationError(f"initialisations={initialisations} is below 1")
    proxies = checked_candidates(candidates)
    source = Source(reference, input_shape, classes)
    subject = source.subject()
    known = canonical_labels(labels, subject.space)
    shown = images_of(subject, images) if any(proxy.needs_images for proxy in proxies) else None
    progress = silent if step is None else partial(step, f"measuring {reference}")
    measuring = Measuring(source, device, images if shown is None else shown.token, executor, cache, progress)
    scores = np.stack([measuring.scores(proxies, list(known), index) for index in range(initialisations)])
    joinable = [place for place, proxy in enumerate(proxies) if setting_of(proxy) == setting_of(proxies[0])]
    decision = decide(scores, np.array(list(known.values())), rule=rule, joinable=joinable, seed=seed)
    settings = {"rule": str(rule), "initialisations": initialisations, "seed": seed, "device": device}
    settings["images"] = "" if shown is None else shown.description
    record = {"task": reference, **_described(subject), **settings, "labels": known}
    return Adaptation(_recorded(proxies, decision, record), tuple(proxies), decision, shown)


def _described(subject: Subject) -> dict[str, Any]:
    """Return what networks were made of."""
    return {"space": subject.space.name, "input_shape": list(subject.input_shape), "classes": subject.classes}


def formula_of(candidates: Sequence[Proxy], terms: Sequence[Term]) -> Node:
    """Return the formula of terms: that of a candidate, or the weighted sum of the logarithms of several."""
    if len(terms) == 1:
        return candidates[terms[0].place].formula
    weights = ["" if term.weight == 1 else f"{term.weight:.{DIGITS}g} * " for term in terms]
    texts = [f"{weight}log({candidates[term.place].formula})" for weight, term in zip(weights, terms, strict=True)]
    return parse(" + ".join(texts))


def _recorded(proxies: Sequence[Proxy], decision: Decision, record: Mapping[str, Any]) -> Proxy:
    """Return the proxy with what it was made by and from, and the tau to be expected among its correlations."""
    weights = {term.place: term.weight for term in decision.terms}
    candidates = [
        {
            "name": proxy.name,
            "formula": str(proxy.formula),
            "weight": weights.get(place, 0.0),
            "tau": float(decision.taus[place]),
            "gain": float(decision.gains[place]),
            "gain_deviation": float(decision.deviations[place]),
        }
        for place, proxy in enumerate(proxies)
    ]
    expected, networks = decision.expected, len(record["labels"])
    own = {
        **record,
        "networks": networks,
        "general": proxies[0].name,
        "expected": asdict(expected),
        "expected_of_general": asdict(decision.general),
        "candidates": candidates,
    }
    population = f"networks without labels, as {networks} labels let expect"
    correlation = {"task": record["task"], "population": population, "networks": networks}
    correlation |= {"tau": expected.tau, "tau_low": expected.low, "tau_high": expected.high}
    main = proxies[decision.terms[0].place]
    if len(weights) == 1:
        correlations, provenance = (correlation, *main.correlations), {**main.provenance, NAME: own}
        return replace(main, name=NAME, provenance=provenance, correlations=correlations)
    formula = formula_of(proxies, decision.terms)
    return Proxy(formula, NAME, main.batch_size, {NAME: own}, (correlation,), rule=main.rule)
