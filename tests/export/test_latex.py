"""Formulas as LaTeX: what they look like, and that a typesetter takes every one."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, strategies as st
from matplotlib.mathtext import MathTextParser

from zcproxy.export.latex import latex
from zcproxy.formula import Kind
from zcproxy.formula.choices import Choices
from zcproxy.formula.registry import vocabulary
from zcproxy.primitives import parse
from zcproxy.primitives.zoo import NAMES, published

EVERYTHING = Choices([vocabulary().leaf(text) for text in vocabulary().leaves], lambda _: True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("depth", r"\operatorname{depth}"),
        ("sum(params)", r"\sum_{\ell} \operatorname{params}_{\ell}"),
        (
            "sum(frobenius_norm(grad(weight)@data))",
            r"\sum_{\ell} \left\Vert \nabla W_{\ell}^{\mathrm{data}} \right\Vert_F",
        ),
        (
            "mean(mean(abs(weight)))",
            r"\frac{1}{L} \sum_{\ell} \operatorname{mean} \left( \left\vert W_{\ell} \right\vert \right)",
        ),
        (
            "depth * log_sum(params)",
            r"\operatorname{depth} \cdot \left( \ln \sum_{\ell} \operatorname{params}_{\ell} \right)",
        ),
        ("depth - (log_paths - 2)", r"\operatorname{depth} - \left( \operatorname{log\_paths} - 2 \right)"),
        ("(depth + 0.5) / log_paths", r"\frac{\operatorname{depth} + 0.5}{\operatorname{log\_paths}}"),
        ("square(depth + 1e-7)", r"\left( \operatorname{depth} + 1 \cdot 10^{-7} \right)^2"),
        ("depth + -0.7", r"\operatorname{depth} - 0.7"),
        ("depth - -0.7", r"\operatorname{depth} + 0.7"),
        ("-0.7 + depth", r"-0.7 + \operatorname{depth}"),
        (
            "depth - (log_paths + -2)",
            r"\operatorname{depth} - \left( \operatorname{log\_paths} - 2 \right)",
        ),
        ("std(macs)", r"\operatorname{std}_{\ell} \left( \operatorname{macs}_{\ell} \right)"),
    ],
)
def test_what_it_looks_like(text: str, expected: str) -> None:
    assert latex(parse(text)) == expected


@given(st.integers(0, 2**32), st.integers(4, 9))
def test_a_typesetter_takes_every_formula(seed: int, depth: int) -> None:
    formula = EVERYTHING.generate(Kind.NETWORK, Random(seed), depth)
    MathTextParser("path").parse(f"${latex(formula)}$")


@pytest.mark.parametrize("name", NAMES)
def test_a_typesetter_takes_every_published_proxy(name: str) -> None:
    MathTextParser("path").parse(f"${latex(parse(published(name).formula))}$")
