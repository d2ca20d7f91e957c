"""Forgets the size of a terminal, which workers of pytest-xdist have in their environment and rich would keep.

To be imported before `zcproxy.cli`.
"""

import os

for name in ("COLUMNS", "LINES"):
    os.environ.pop(name, None)
