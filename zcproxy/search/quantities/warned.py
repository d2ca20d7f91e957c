"""What proxies warn of, said once for a search, in place of a warning per network."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from zcproxy.errors import ModelWarning
from zcproxy.storage.notices import notice
from zcproxy.text.visible import shortened

LONGEST_NAME = 80
"""Characters of a network's name in messages."""


@contextmanager
def warned_once(architecture: str, said: set[str]) -> Iterator[None]:
    """Turn each kind of `ModelWarning` into a notice for the first network that has it.

    Args:
        architecture: the network that is scored.
        said: what has been said already, without the numbers; grows.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ModelWarning)
        yield
    for each in caught:
        if not issubclass(each.category, ModelWarning):
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
            continue
        kind = re.sub(r"[\d.]+%", "", str(each.message))
        if kind not in said:
            said.add(kind)
            notice(f"the network '{shortened(architecture, LONGEST_NAME)}', and others maybe: {each.message}")
