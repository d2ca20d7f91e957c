"""One-line notices to the user, through `logging`: about damaged files that were set aside, for example.

They reach standard error, above a progress bar where there is one, unless the program that imports zcproxy handles the
logger `zcproxy` itself.
"""

from __future__ import annotations

import logging

from zcproxy.text.visible import LONGEST_MESSAGE, shortened, visible

LOGGER = logging.getLogger("zcproxy")


def notice(text: str) -> None:
    """Say one line. Control characters, which names of files may have, are shown as escapes."""
    LOGGER.warning("%s", shortened(visible(text), LONGEST_MESSAGE))
