"""The sentence on what the scores of networks leave out: parameters that no layer holds, weights computed from data."""

from __future__ import annotations

from collections.abc import Sequence

from zcproxy.probing.coverage import Coverage, first_of
from zcproxy.proxy.proxy import NEGLIGIBLE
from zcproxy.text.visible import shortened


def coverage_note(found: Sequence[Coverage]) -> str | None:
    """Return a sentence on what scores of networks leave out, None if that is next to nothing.

    Args:
        found: for each network, the part that its layers hold.
    """
    lacking = [each for each in found if each.unseen_share > NEGLIGIBLE]
    generating = [each for each in found if each.generated]
    parts = []
    if lacking:
        worst = max(lacking, key=lambda each: each.unseen_share)
        largest = shortened(worst.largest(), 200)
        parts.append(
            f"of {len(lacking):,} of {len(found):,} networks up to {worst.unseen_share:.1%} of the parameters of two "
            f"or more dimensions, in operations that are not seen as layers (largest: {largest})"
        )
    if generating:
        names = shortened(first_of(generating[0].generated), 200)
        parts.append(f"of {len(generating):,} of {len(found):,} networks weights computed from the data (in {names})")
    untraced = sum(each.untraced for each in found)
    if untraced:
        parts.append(
            f"of {untraced:,} of {len(found):,} networks paths and cuts, which are NaN: nothing that can be "
            "differentiated leads from the input to the output"
        )
    return f"Left out: {'; '.join(parts)}." if parts else None
