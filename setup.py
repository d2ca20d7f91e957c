"""The packages of the installation: every folder with an `__init__.py` below the roots that `pyproject.toml` names."""

from __future__ import annotations

import tomllib
from pathlib import Path

from setuptools import find_packages, setup

ROOTS: dict[str, str] = tomllib.loads((Path(__file__).parent / "pyproject.toml").read_text())["tool"]["setuptools"][
    "package-dir"
]

setup(
    packages=[
        package
        for name, folder in ROOTS.items()
        for package in (name, *(f"{name}.{found}" for found in find_packages(folder)))
    ]
)
