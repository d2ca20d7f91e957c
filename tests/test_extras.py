"""An installation without any extra: what is core works, and what is not says which command installs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

EXTRAS: dict[str, list[str]] = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"][
    "optional-dependencies"
]
ABSENT = (
    *("sklearn", "pymoo", "matplotlib", "jinja2", "markupsafe", "PIL", "nats_bench", "datasets"),
    *("tensorboard", "mlflow", "sqlalchemy", "alembic"),
    *("pytest", "hypothesis", "setuptools"),
)

BARE = f"""
import contextlib, io, json, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {ABSENT}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())

import zcproxy
from zcproxy.__main__ import main

def run(*arguments):
    sys.argv = ["zcproxy", *arguments]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
            code = 0
        except SystemExit as stopped:
            code = stopped.code or 0
    return code, out.getvalue(), err.getvalue()
"""

NEEDING = {
    "search digits201 --evaluations 4": ("search", "a search"),
    "network export nothing": ("search", "a search"),
    "evolve --generations 1 --control --out c": ("predictors", "--control"),
    "table digits201 --networks 4 --proxies params --out t": ("figures", "table --out"),
    "score params digits201 --networks 4 --figure a.pdf": ("figures", "a figure"),
    "report run": ("report", "a report"),
    "evolve --generations 1 --report --out r": ("report", "--report"),
    "evolve --generations 1 --log tensorboard --out l": ("tensorboard", "TensorBoard"),
    "evolve --generations 1 --log mlflow --out l": ("mlflow", "MLflow"),
    "score naswot digits201 --networks 4 --images pictures": ("images", "a folder of pictures"),
    "benchmark build --space nasbench201 --dataset hf:mnist --networks 2 --out b": (
        "huggingface",
        "the dataset hf:mnist",
    ),
}


def bare(code: str, folder: Path) -> str:
    """Return the last line that code prints where no extra is installed."""
    environment = {**os.environ, "ZCPROXY_CACHE": str(folder / "cache"), "COLUMNS": "200"}
    found = subprocess.run(
        [sys.executable, "-W", "error", "-c", BARE + code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    return found.stdout.splitlines()[-1]


def test_what_an_extra_brings_is_named_with_the_command_that_installs_it(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.png").write_bytes(b"\x89PNG")
    found = json.loads(bare(f"print(json.dumps([run(*text.split()) for text in {list(NEEDING)}]))", tmp_path))
    for (command, (extra, what)), (code, out, error) in zip(NEEDING.items(), found, strict=True):
        assert (code, out) == (2, ""), (command, error)
        assert error.startswith(f"zcproxy: {what}"), (command, error)
        assert error.endswith(f"which is not installed: pip install 'zcproxy[{extra}]'\n"), (command, error)
        assert len(error.splitlines()) == 1 and extra in EXTRAS
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "cache") == ["pictures"]


@pytest.mark.parametrize("module", ["zcproxy.search", "zcproxy.adapters"])
def test_python_users_read_the_same(tmp_path: Path, module: str) -> None:
    code = f"try:\n    import {module}\nexcept zcproxy.ZcproxyError as error:\n    print(error)"
    assert bare(code, tmp_path).endswith("which is not installed: pip install 'zcproxy[search]'")


def test_proxies_evolution_tables_and_scores_are_core(tmp_path: Path) -> None:
    code = """
import torch
from torch import nn
net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))
score = zcproxy.load_proxy("zc-general")(net, torch.zeros(4, 3, 8, 8))
results = [
    run(*"evolve digits201 --networks 24 --test-networks 10 --generations 1 --workers 1 --out run".split()),
    run(*"score run/best.json digits201 --networks 6 --workers 1".split()),
    run(*"table digits201 --networks 6 --proxies params,naswot --workers 1".split()),
    run(*"proxy export run/best.json --out proxy.py".split()),
    run("benchmark", "list"),
]
print(json.dumps([isinstance(score, float), *[(code, error) for code, _, error in results]]))
"""
    is_number, *results = json.loads(bare(code, tmp_path))
    assert is_number
    assert [code for code, _ in results] == [0] * len(results), results
    assert (tmp_path / "run" / "best.json").is_file() and (tmp_path / "proxy.py").is_file()
