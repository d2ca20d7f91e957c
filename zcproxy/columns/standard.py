"""The standard library of columns: what every run starts from. About a hundred expressions, cheap in one sweep."""

from __future__ import annotations

from collections.abc import Iterable

from zcproxy.formula import Node
from zcproxy.formula.canonical import canonical
from zcproxy.primitives import parse
from zcproxy.probing.descriptors import LAYER_DESCRIPTORS, NETWORK_DESCRIPTORS
from zcproxy.probing.expressions import probes_of

GRADIENTS = (
    "grad(weight)@noise",
    "grad(weight)@data",
    "grad(weight)@delta",
    "mean(grad(weight)@chunks)",
)
"""The weight gradients that `GRADIENT_COLUMNS` are made for."""

GRADIENT_COLUMNS = (
    "frobenius_norm({gradient})",
    "mean_abs({gradient})",
    "std({gradient})",
    "max({gradient})",
    "kurtosis({gradient})",
    "entropy({gradient})",
    "abs_dot(weight, {gradient})",
    "dot(weight, {gradient})",
    "participation_ratio(filter_gram({gradient}))",
    "participation_ratio(filter_gram(sign({gradient})))",
    "participation_ratio(filter_correlation({gradient}))",
    "ridge_logdet(filter_correlation({gradient}))",
    "ridge_logdet(filter_gram(sign({gradient})))",
    "participation_ratio(input_gram({gradient}))",
    "participation_ratio(input_gram(sign({gradient})))",
    "ridge_logdet(input_gram(sign({gradient})))",
)
SIGNAL_COLUMNS = (
    "mean_abs(output@{probe})",
    "mean_abs(grad(output)@{probe})",
    "frobenius_norm(grad(output)@{probe})",
    "abs_dot(output@{probe}, grad(output)@{probe})",
    "ridge_logdet(sample_hamming(preactivation@{probe}))",
    "participation_ratio(sample_gram(grad(output)@{probe}))",
    "ridge_logdet(layer_sum(sample_hamming(preactivation@{probe})))",
)
"""For the probes `noise` and `data`."""

OTHER_COLUMNS = (
    "std(weight)",
    "l1_norm(weight)",
    "frobenius_norm(weight)",
    "frobenius_norm(input@noise)",
    "frobenius_norm(output@noise)",
    "zero_fraction(input@noise)",
    "ridge_logdet(sample_correlation(output@noise))",
    "participation_ratio(sample_correlation(output@noise))",
    "effective_rank(layer_sum(sample_correlation(output@noise)))",
    "ridge_logdet(channel_correlation(output@noise))",
    "smallest_eigenvalue(channel_correlation(output@noise))",
    "participation_ratio(channel_gram(output@noise))",
    "stable_rank(channel_gram(normalized@noise))",
    "participation_ratio(centre(sample_gram(output@noise)))",
    "participation_ratio(channel_gram(grad(output)@noise))",
    "mean_abs(output@delta)",
    "mean_abs(grad(output)@delta)",
    "sum(weight@ones * grad(weight)@ones)",
    "mean_abs(output@ones)",
    "mean_abs(grad(output)@ones)",
    "frobenius_norm(grad(weight)@ones)",
    "sum(mean(abs(grad(weight)@chunks)) / std(abs(grad(weight)@chunks)))",
    "mean_abs(std(grad(weight)@chunks))",
    "mean_abs(mean(sign(grad(weight)@chunks)))",
    "participation_ratio(filter_correlation(std(grad(weight)@chunks)))",
)

OF_TRANSFORMERS = ("in_attention", "reads_attention", "embedding_params")
LEFT_OUT = ("is_normalized", "is_activated", "weight_uses", "dead_layers", *OF_TRANSFORMERS)
"""Descriptors that are the same for nearly all layers, or all networks, of most spaces."""


def standard_columns(probes: Iterable[str] | None = None) -> list[Node]:
    """Return the columns of the standard library that need no probe beyond `probes` (None: all of them)."""
    texts = [name for name in (*LAYER_DESCRIPTORS, *NETWORK_DESCRIPTORS) if name not in LEFT_OUT]
    texts += [text.format(gradient=gradient) for gradient in GRADIENTS for text in GRADIENT_COLUMNS]
    texts += [text.format(probe=probe) for probe in ("noise", "data") for text in SIGNAL_COLUMNS]
    texts += OTHER_COLUMNS
    columns = [canonical(parse(text)) for text in texts]
    allowed = None if probes is None else frozenset(probes)
    return [column for column in columns if allowed is None or probes_of(column) <= allowed]
