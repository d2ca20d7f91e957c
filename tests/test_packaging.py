from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TREES = {
    "zcproxy": "zcproxy",
    "zcproxy.primitives": "primitives",
    "zcproxy.benchmarks": "benchmarks",
    "zcproxy.proxies": "results/proxies",
}


def test_every_package_of_the_tree_is_installed():
    on_disk = {
        ".".join([name, *path.parent.relative_to(ROOT / folder).parts])
        for name, folder in TREES.items()
        for path in (ROOT / folder).rglob("__init__.py")
    }
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert setuptools["package-dir"] == TREES
    assert set(setuptools["packages"]) == on_disk


def test_every_dependency_has_a_pinned_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {line.split("==")[0] for line in lines if "==" in line and not line.startswith("#")}
    assert {requirement.split(">=")[0] for group in groups for requirement in group} <= pinned
