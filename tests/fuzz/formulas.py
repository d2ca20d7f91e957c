"""Formula texts: whatever is parsed, only `FormulaError` comes out, and what parses prints back to itself."""

from __future__ import annotations

import traceback
from functools import cached_property
from pathlib import Path
from random import Random

from fuzz import hostile
from fuzz.judging import check_characters, check_message
from fuzz.materials import Materials
from fuzz.mutations import mutate_text
from fuzz.outcome import Outcome, PromiseError, Verdict, printable
from zcproxy.errors import FormulaError
from zcproxy.export.latex import latex
from zcproxy.formula import Kind, Node, vocabulary
from zcproxy.formula.canonical import canonical
from zcproxy.formula.choices import Choices
from zcproxy.primitives import parse

_TOKENS = (
    "(",
    ")",
    ",",
    "+",
    "-",
    "*",
    "/",
    "@",
    "grad",
    "1",
    "2.5",
    "1e9",
    ".5",
    "0",
    "1e999",
    " ",
    "_",
    "$",
    "**",
    "//",
)


class Formulas:
    """Texts from a grammar, mutated, of tokens, of characters, hostile ones and long ones."""

    name = "formulas"

    def __init__(self, materials: Materials) -> None:
        self._registry = vocabulary()
        self._names = [*self._registry.primitives, *map(str, self._leaves)]

    @cached_property
    def _leaves(self) -> list[Node]:
        found = []
        statistics = ("weight", "input", "output", "normalized", "activation", "preactivation", "features", "block")
        probes = ("noise", "data", "logits", "delta", "ones", "chunks", "samples", "jacobian", "fisher", "curvature")
        texts = [f"{form}@{probe}" for name in statistics for form in (name, f"grad({name})") for probe in probes]
        sizes = ("weight", "params", "macs", "fan_in", "channels", "resolution", "depth", "log_paths", "longest_path")
        for text in (*texts, *sizes):
            try:
                found.append(self._registry.leaf(text))
            except FormulaError:
                continue
        return found

    @cached_property
    def _choices(self) -> Choices:
        return Choices(self._leaves, lambda operation: True)

    def attempt(self, rng: Random, folder: Path) -> Outcome:
        """Parse one text."""
        text = self.text(rng)
        try:
            return Outcome(self._verdict(text, rng))
        except PromiseError as broken:
            kind, _, detail = str(broken).partition(": ")
        except Exception as error:  # noqa: BLE001  (what must not come out)
            frame = traceback.extract_tb(error.__traceback__)[-1]
            kind = f"{type(error).__name__} in {Path(frame.filename).name}:{frame.name}"
            detail = printable(str(error), 500)
        return Outcome(Verdict.FAILED, kind, detail, printable(text))

    def text(self, rng: Random) -> str:
        """Return a text that may be a formula."""
        kind = rng.random()
        if kind < 0.35:
            return self._valid(rng)
        if kind < 0.65:
            text = self._valid(rng)
            for _ in range(rng.choice((1, 1, 2, 4))):
                text = mutate_text(text, rng)
            return text
        if kind < 0.82:
            return "".join(
                rng.choice(self._names if rng.random() < 0.4 else _TOKENS) for _ in range(rng.randint(1, 25))
            )
        if kind < 0.92:
            alphabet = rng.choice(
                ("()+-*/,@ .e0123456789abc_", "".join(map(chr, range(1, 0x250))), "²٣Ω𝟙ſ🙂\ufeff\u2028()+")
            )
            return "".join(rng.choice(alphabet) for _ in range(rng.randint(0, 60)))
        if kind < 0.998:
            return hostile.text(rng)
        return self._long(rng)

    def _valid(self, rng: Random) -> str:
        kind = rng.choice((Kind.NETWORK, Kind.NETWORK, Kind.NETWORK, *Kind))
        least = self._choices.least_depth.get(kind, 99)
        return str(self._choices.generate(kind, rng, int(least) + rng.randint(0, 5))) if least < 99 else "depth"

    def _long(self, rng: Random) -> str:
        count = 10 ** rng.randint(2, 4) + rng.randrange(50)
        return rng.choice(
            (
                "(" * count + "depth" + ")" * count,
                "abs(" * count + "depth" + ")" * count,
                " + ".join(["depth"] * count),
                " * ".join(["sum(params)"] * count),
                _balanced(["depth", "log_paths", "2.0"], min(count, 2000), rng),
                "sum(" + ",".join(["params"] * count) + ")",
                "x" * count * 10,
                "1" * count * 10,
                "depth" + " " * count * 10,
                "-" * count + "1",
                "grad(" * count,
            )
        )

    def _verdict(self, text: str, rng: Random) -> Verdict:
        try:
            formula = parse(text)
        except FormulaError as error:
            message = f"zcproxy: {error}"
            check_message(message)
            check_characters(message)
            return Verdict.REFUSED
        printed = str(formula)
        again = parse(printed)
        if again != formula or str(again) != printed:
            raise PromiseError(f"does not print back to itself: {printable(printed, 300)}")
        if formula.kind.is_number and (len(text) > 500 or rng.random() < 0.3):
            _check_canonical(formula)
        if rng.random() < 0.1:
            check_characters(latex(formula))
        return Verdict.FINE


def _check_canonical(formula: Node) -> None:
    """The canonical form is a formula that parses, and its own canonical form."""
    form = canonical(formula)
    try:
        again = parse(str(form))
    except FormulaError as error:
        raise PromiseError(f"canonical form does not parse: {error}") from error
    if again != form:
        raise PromiseError(f"canonical form does not print back to itself: {printable(str(form), 300)}")
    if canonical(form) != form:
        raise PromiseError(f"canonical form is not its own: {printable(str(form), 300)}")


def _balanced(terms: list[str], count: int, rng: Random) -> str:
    if count == 1:
        return rng.choice(terms)
    half = count // 2
    return f"({_balanced(terms, half, rng)} + {_balanced(terms, count - half, rng)})"
