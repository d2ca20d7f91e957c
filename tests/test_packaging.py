"""What is installed is what the tree has, and every dependency has its lowest and its pinned version."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
CONTENT = tomllib.loads((ROOT / "pyproject.toml").read_text())
TREES: dict[str, str] = CONTENT["tool"]["setuptools"]["package-dir"]
DATA: list[str] = CONTENT["tool"]["setuptools"]["package-data"]["*"]
NAME = re.compile(r"[A-Za-z0-9._-]+")


def packages_of(root: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return the packages that the setup.py of a tree declares."""
    declared: dict[str, Any] = {}
    monkeypatch.setattr("setuptools.setup", lambda **given: declared.update(given))
    monkeypatch.chdir(root)
    runpy.run_path(str(root / "setup.py"))
    assert len(declared["packages"]) == len(set(declared["packages"]))
    return set(declared["packages"])


def test_every_package_of_the_tree_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    on_disk = {
        ".".join([name, *path.parent.relative_to(ROOT / folder).parts])
        for name, folder in TREES.items()
        for path in (ROOT / folder).rglob("__init__.py")
    }
    assert packages_of(ROOT, monkeypatch) == on_disk


def test_a_new_folder_is_a_package_without_further_work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("pyproject.toml", "setup.py"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    for folder in (*TREES.values(), "benchmarks/mine/parts"):
        (tmp_path / folder).mkdir(parents=True)
    for folder in (*TREES.values(), "benchmarks/mine", "benchmarks/mine/parts"):
        (tmp_path / folder / "__init__.py").touch()
    found = packages_of(tmp_path, monkeypatch)
    assert found == {*TREES, "zcproxy.benchmarks.mine", "zcproxy.benchmarks.mine.parts"}


def test_every_file_of_data_is_installed() -> None:
    files = [path for folder in TREES.values() for path in (ROOT / folder).rglob("*") if path.is_file()]
    others = [path for path in files if path.suffix not in (".py", ".pyc")]
    assert others and [path for path in others if not any(fnmatch(path.name, pattern) for pattern in DATA)] == []


def test_every_dependency_has_a_pinned_version() -> None:
    project = CONTENT["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    names = {found[0] for group in groups for item in group if (found := NAME.match(item))} - {"zcproxy"}
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert names <= {line.split("==")[0] for line in lines if "==" in line and not line.startswith("#")}


def test_an_own_extra_is_one_that_there_is() -> None:
    extras = CONTENT["project"]["optional-dependencies"]
    own = [item for group in extras.values() for item in group if item.startswith("zcproxy[")]
    assert {name for item in own for name in item[len("zcproxy[") : -1].split(",")} <= set(extras)


def test_the_lowest_versions_are_those_of_the_project(capsys: pytest.CaptureFixture[str]) -> None:
    script = runpy.run_path(str(ROOT / ".ci" / "lowest.py"))
    script["main"]()
    found = dict(line.split("==") for line in capsys.readouterr().out.splitlines())
    assert {f"{name}>={version}" for name, version in found.items()} == {
        item
        for group in (CONTENT["project"]["dependencies"], *CONTENT["project"]["optional-dependencies"].values())
        for item in group
        if not item.startswith("zcproxy[")
    }
    with pytest.raises(SystemExit, match="cannot read the requirement 'torch': write NAME>=VERSION"):
        script["lowest"](["torch"])
    with pytest.raises(SystemExit, match=r"torch has the lowest versions 2\.6 and 2\.7"):
        script["lowest"](["torch>=2.6", "torch>=2.7"])


def test_the_citation_and_the_changelog_name_the_version() -> None:
    version = CONTENT["project"]["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"\n## [{version}] - " in (ROOT / "CHANGELOG.md").read_text()


def test_a_checkout_is_complete_where_another_version_is_installed(tmp_path: Path) -> None:
    """`python -m zcproxy` in a checkout takes the folders beside `zcproxy/`, as an editable installation does."""
    code = (
        "import sys\n"
        "is_editable = lambda each: getattr(each, '__module__', '').startswith('__editable')\n"
        "sys.meta_path = [each for each in sys.meta_path if not is_editable(each)]\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "import zcproxy, zcproxy.primitives, zcproxy.benchmarks, zcproxy.proxies\n"
        "print(zcproxy.__file__, zcproxy.primitives.__file__, zcproxy.benchmarks.__file__, zcproxy.proxies.__file__)\n"
        "print(zcproxy.load_proxy('zc-general').name, zcproxy.get_task('digits201').name)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    files, names = found.stdout.splitlines()
    folders = ("zcproxy", "primitives", "benchmarks", "results/proxies")
    assert files.split() == [str(ROOT / folder / "__init__.py") for folder in folders]
    assert names == "zc-general digits201"
