"""Reasons why a proxy is undefined for all networks of a task, where the minibatch shows them."""

from __future__ import annotations

from collections.abc import Sequence

from zcproxy.images.minibatch import Shown, minibatch
from zcproxy.probing.expressions import compares_classes
from zcproxy.proxy.aggregate import Scorer, members_of


def reasons(scorers: Sequence[Scorer], task: Shown, batch_size: int | None, images: str) -> list[str]:
    """Return a sentence for each proxy that the minibatch leaves undefined, those of aggregates included.

    Args:
        scorers: proxies and aggregates.
        task: where the minibatch comes from.
        batch_size: samples for all of them; None for what each asks for.
        images: token of the user's images; empty for what is at hand.
    """
    sizes = {
        proxy.name: batch_size or proxy.batch_size
        for scorer in scorers
        for proxy in members_of(scorer)
        if compares_classes(proxy.formula)
    }
    return [
        f"{name} is undefined: no two of the {size} images of the minibatch have the same class: give a larger one "
        "(`batch_size`) or other `images`."
        for name, size in sizes.items()
        if len(set(minibatch(task, size, images).targets.tolist())) == size
    ]
