"""The commands are imported when they are called, and no earlier."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib import import_module

import pytest
import typer

from zcproxy.cli.commands import PLACES, program

HEAVY = ("torch", "numpy", "pandas", "scipy", "deap", "sklearn", "pymoo", "matplotlib")


def test_the_help_of_the_program_imports_no_torch() -> None:
    code = (
        "import sys\nfrom zcproxy.__main__ import main\nsys.argv = ['zcproxy', '--help']\n"
        f"try:\n    main()\nfinally:\n    print([name for name in {HEAVY} if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Evolve a proxy on labelled networks" in found.stdout
    assert found.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", PLACES)
def test_the_summary_of_a_command_is_the_first_line_of_its_own_help(name: str) -> None:
    place = PLACES[name]
    loaded = program().load(name)
    assert loaded.name == name
    assert loaded.help.splitlines()[0] == place.summary
    found = getattr(import_module(f"zcproxy.cli.{place.module}"), place.name)
    assert isinstance(found, typer.Typer) or (inspect.getdoc(found) or "").splitlines()[0] == place.summary
