"""Writes the lowest versions that `pyproject.toml` declares as constraints: python .ci/lowest.py >lowest.txt."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parents[1] / "pyproject.toml"

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)>=([0-9][0-9a-z.]*)")


def lowest(requirements: list[str]) -> list[str]:
    """Return `name==version` for each requirement `name>=version`, sorted.

    Raises:
        SystemExit: a requirement is not of this form, or a name has two lowest versions.
    """
    found: dict[str, str] = {}
    for requirement in requirements:
        match = _REQUIREMENT.fullmatch(requirement)
        if match is None:
            raise SystemExit(f"{PROJECT}: cannot read the requirement '{requirement}': write NAME>=VERSION")
        name, version = match.groups()
        if found.setdefault(name, version) != version:
            raise SystemExit(f"{PROJECT}: {name} has the lowest versions {found[name]} and {version}: write one")
    return [f"{name}=={version}" for name, version in sorted(found.items())]


def main() -> None:
    """Print the lowest version of everything that the package and its extras declare."""
    project = tomllib.loads(PROJECT.read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    print("\n".join(lowest([item for group in groups for item in group if not item.startswith("zcproxy[")])))


if __name__ == "__main__":
    main()
