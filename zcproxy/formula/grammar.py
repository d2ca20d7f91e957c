"""The signs of the grammar: the four operations that are written between their arguments, and how they bind."""

from __future__ import annotations

SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
"""Name of a primitive -> its sign."""

NAMES = {sign: name for name, sign in SIGNS.items()}
"""Sign -> the name of its primitive."""

SUM, PRODUCT, FACTOR = 1, 2, 3
"""Binding strengths of text, loosest first."""

BINDING = {"add": SUM, "subtract": SUM, "multiply": PRODUCT, "divide": PRODUCT}
"""Binding strengths of the four; everything else is a factor."""
