"""The plugin of docs/your-own-primitive.md, and a clean language before and after what loads one."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zcproxy.names.plugins import unload
from zcproxy.user_code.plugins import loaded_plugins

PAGE = (Path(__file__).parents[1] / "docs" / "your-own-primitive.md").read_text(encoding="utf-8")
PRIMITIVES, PROBE, FUNCTION = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
MINE = f"{PRIMITIVES}\n\n{PROBE}"
"""Text of the plugin: `gini`, `interquartile` and the probe `mirrored`."""


@contextmanager
def no_plugins() -> Iterator[None]:
    """Take out of the language what is loaded inside, and forget the folders that were looked for modules."""
    path = list(sys.path)
    try:
        yield
    finally:
        for plugin in loaded_plugins():
            unload(plugin)
        sys.path[:] = path
