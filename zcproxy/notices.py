"""One-line notices to the user, through `logging`: about damaged files that were set aside, for example.

They reach standard error, above a progress bar where there is one, unless the program that imports zcproxy handles the
logger `zcproxy` itself.
"""

from __future__ import annotations

import logging

LOGGER = logging.getLogger("zcproxy")
LONGEST = 480
"""Characters of a notice; the rest of a longer one is left out."""


def notice(text: str) -> None:
    """Say one line. Control characters, which names of files may have, are shown as escapes."""
    shown = "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
    LOGGER.warning("%s", shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}...")
