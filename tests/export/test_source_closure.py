from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from zcproxy.errors import FormulaError
from zcproxy.export.source_closure import Closure, collect

Collected = Callable[..., Closure]
packages = count()


@pytest.fixture
def collected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Collected:
    """Write modules of a package and collect `root` from the first."""

    def written(*, reserved: tuple[str, ...] = (), **modules: str) -> Closure:
        package = f"plugin_{next(packages)}"
        (tmp_path / package).mkdir()
        for name, text in modules.items():
            (tmp_path / package / f"{name}.py").write_text(text.replace("PLUGIN", package))
        monkeypatch.syspath_prepend(tmp_path)
        first = next(iter(modules))
        return collect([(f"{package}.{first}", "root")], substitutes={}, reserved=reserved)

    return written


def run(closure: Closure) -> dict[str, object]:
    scope: dict[str, object] = {}
    exec(f"{closure.import_lines()}\n{closure.body()}", scope)  # noqa: S102
    return scope


def test_definitions_come_before_what_is_built_on_them(collected: Collected) -> None:
    closure = collected(
        main="from PLUGIN.parts import Base, SIZE\n\n\nclass Root(Base):\n    size = SIZE\n\n\nroot = Root().size\n",
        parts="import math\n\nSIZE, OTHER = math.floor(2.5), 3\n'''doc'''\n\n\nclass Base: ...\n\n\nUNUSED = 1\n",
    )
    scope = run(closure)
    assert scope["root"] == 2 and "UNUSED" not in scope


def test_decorators_of_primitives_go_and_others_stay(collected: Collected) -> None:
    text = (
        "from functools import singledispatch\nfrom zcproxy.formula import Kind, Registry, Signature, primitive\n\n\n"
        "@primitive(Signature((Kind.LAYER,), Kind.LAYER), formula='2 x', registry=Registry())\n@singledispatch\n"
        "def root(x):\n    return 2 * x\n"
    )
    closure = collected(main=text)
    assert closure.body().splitlines()[-3:] == ["@singledispatch", "def root(x):", "    return 2 * x"]
    assert closure.import_lines() == "from functools import singledispatch"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import numpy\n\n\ndef root(x):\n    return numpy.sqrt(x)\n", "it uses the module numpy"),
        ("def root(x):\n    from scipy import special\n    return special.erf(x)\n", "it uses the module scipy"),
        ("from PLUGIN import part\n\n\ndef root(x):\n    return part.f(x)\n", "has no source"),
        ("from PLUGIN.part import h\n\n\ndef root(x):\n    return h(x)\n", "cannot export 'h'"),
        ("from PLUGIN.part import f as g\n\n\ndef root(x):\n    return g(x)\n", "imports 'f' as 'g'"),
        ("if True:\n\n    def root(x):\n        return x\n", "does not define it at its top level"),
    ],
)
def test_what_cannot_stand_alone_is_refused(collected: Collected, text: str, reason: str) -> None:
    with pytest.raises(FormulaError, match=reason):
        collected(main=text, part="def f(x):\n    return x\n\n\nif True:\n    h = f\n")


def test_two_meanings_of_a_name_are_refused(collected: Collected) -> None:
    main = "from PLUGIN.part import f\n\n\ndef _helper(x):\n    return x\n\n\ndef root(x):\n    return _helper(f(x))\n"
    part = "def _helper(x):\n    return -x\n\n\ndef f(x):\n    return _helper(x)\n"
    with pytest.raises(FormulaError, match=r"'_helper' of .* has the name of something else"):
        collected(main=main, part=part)
    with pytest.raises(FormulaError, match=r"'root' of .* has the name of something else"):
        collected(main="def root(x):\n    return x\n", reserved=("root",))
