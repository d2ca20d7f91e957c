"""The standard library of columns: what every run starts from. About a hundred expressions, cheap in one sweep."""

from __future__ import annotations

from collections.abc import Iterable

from zcproxy.formula import Node, parse
from zcproxy.formula.canonical import canonical
from zcproxy.sweep.expressions import probes_of
from zcproxy.sweep.structure import LAYER_DESCRIPTORS, NETWORK_DESCRIPTORS

WEIGHT_COLUMNS = (
    "frobenius_norm(grad(weight)@{probe})",
    "mean_abs(grad(weight)@{probe})",
    "std(grad(weight)@{probe})",
    "max(grad(weight)@{probe})",
    "kurtosis(grad(weight)@{probe})",
    "entropy(grad(weight)@{probe})",
    "positive_fraction(grad(weight)@{probe})",
    "abs_dot(weight, grad(weight)@{probe})",
    "dot(weight, grad(weight)@{probe})",
    "cosine_similarity(weight, grad(weight)@{probe})",
    "stable_rank(filter_gram(grad(weight)@{probe}))",
    "stable_rank(filter_gram(sign(grad(weight)@{probe})))",
    "stable_rank(filter_correlation(grad(weight)@{probe}))",
)
"""For the probes `noise`, `data` and `delta`."""

SIGNAL_COLUMNS = (
    "mean_abs(output@{probe})",
    "mean_abs(grad(output)@{probe})",
    "frobenius_norm(grad(output)@{probe})",
    "abs_dot(output@{probe}, grad(output)@{probe})",
    "ridge_logdet(sample_hamming(preactivation@{probe}))",
    "stable_rank(sample_hamming(preactivation@{probe}))",
    "stable_rank(sample_gram(grad(output)@{probe}))",
    "ridge_logdet(layer_sum(sample_hamming(preactivation@{probe})))",
    "stable_rank(layer_sum(sample_hamming(preactivation@{probe})))",
)
"""For the probes `noise` and `data`."""

OTHER_COLUMNS = (
    "std(weight)",
    "frobenius_norm(weight)",
    "frobenius_norm(input@noise)",
    "frobenius_norm(output@noise)",
    "frobenius_norm(grad(input)@noise)",
    "zero_fraction(input@noise)",
    "max(grad(output)@noise)",
    "ridge_logdet(sample_correlation(output@noise))",
    "stable_rank(sample_correlation(output@noise))",
    "effective_rank(layer_sum(sample_correlation(output@noise)))",
    "ridge_logdet(channel_correlation(output@noise))",
    "smallest_eigenvalue(channel_correlation(output@noise))",
    "stable_rank(channel_gram(output@noise))",
    "mean_abs(output@delta)",
    "mean_abs(grad(output)@delta)",
    "sum(weight@ones * grad(weight)@ones)",
    "mean_abs(output@ones)",
    "mean_abs(grad(output)@ones)",
    "frobenius_norm(grad(weight)@ones)",
    "sum(mean(abs(grad(weight)@chunks)) / std(abs(grad(weight)@chunks)))",
    "mean_abs(mean(grad(weight)@chunks))",
    "mean_abs(std(grad(weight)@chunks))",
    "mean_abs(mean(sign(grad(weight)@chunks)))",
)


def standard_columns(probes: Iterable[str] | None = None) -> list[Node]:
    """Return the columns of the standard library that need no probe beyond `probes` (None: all of them)."""
    texts = [*LAYER_DESCRIPTORS, *NETWORK_DESCRIPTORS]
    texts += [text.format(probe=probe) for probe in ("noise", "data", "delta") for text in WEIGHT_COLUMNS]
    texts += [text.format(probe=probe) for probe in ("noise", "data") for text in SIGNAL_COLUMNS]
    texts += OTHER_COLUMNS
    columns = [canonical(parse(text)) for text in texts]
    allowed = None if probes is None else frozenset(probes)
    return [column for column in columns if allowed is None or probes_of(column) <= allowed]
