"""Folders of proxy files, such as the front of a run of evolution."""

from __future__ import annotations

from pathlib import Path

from zcproxy.errors import ProxyFileError

FRONT = "front"
"""The folder of a run directory that holds its proxies."""


def proxy_files(folder: Path) -> list[str]:
    """Return the proxy files of a folder, or of the front of a run directory, by name.

    Raises:
        ProxyFileError: it holds none.
    """
    folder = folder / FRONT if (folder / FRONT).is_dir() else folder
    files = sorted(folder.glob("*.json"))
    if not files:
        raise ProxyFileError(f"the folder {folder} holds no proxy file (*.json): name the front of a run")
    return [str(file) for file in files]
