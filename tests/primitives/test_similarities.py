from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from zcproxy.formula import vocabulary

Registered = Callable[[str], dict[str, list[Any]]]


def unit(row: Any) -> Any:
    length = np.sqrt(sum(value * value for value in row))
    return row / length if length > 0 else row


def between_channels(sample: Any) -> list[Any]:
    """The rows of the Gram matrix between the channels of one sample, each of unit length."""
    maps = [channel.ravel() for channel in sample]
    return [unit(np.array([one @ other for other in maps])) for one in maps]


def alignment(first: Any, second: Any) -> float:
    return float(np.trace(first.T @ second) / np.sqrt(np.trace(first.T @ first) * np.trace(second.T @ second)))


def relation_distance(first: Any, second: Any) -> float:
    differences = [unit(one) - unit(other) for one, other in zip(first, second, strict=True)]
    return float(sum((each**2).sum() for each in differences) / first.size)


def channel_relation_distance(first: Any, second: Any) -> float:
    found = [
        ((one - other) ** 2).sum()
        for left, right in zip(first, second, strict=True)
        for one, other in zip(between_channels(left), between_channels(right), strict=True)
    ]
    return float(np.mean(found))


REFERENCES = {
    "alignment": alignment,
    "relation_distance": relation_distance,
    "channel_relation_distance": channel_relation_distance,
}


def test_every_primitive_has_a_reference(registered: Registered) -> None:
    assert set(registered("similarities")) == set(REFERENCES)


@pytest.mark.parametrize("name", REFERENCES)
def test_against_loops(name: str, registered: Registered, agrees: Callable[..., None]) -> None:
    for signature in registered("similarities")[name]:
        agrees(name, signature, REFERENCES[name])


def test_linear_cka_ignores_rotation_and_scale() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(9, 5, generator=generator, dtype=torch.float64)
    rotation = torch.linalg.qr(torch.randn(5, 5, generator=generator, dtype=torch.float64)).Q
    centred = [each - each.mean(0) for each in (x, 3.0 * x @ rotation, x**3)]
    grams = [each @ each.T for each in centred]
    (align,) = {*vocabulary().primitives["alignment"].functions.values()}
    assert float(align(grams[0], grams[1])) == pytest.approx(1.0)
    assert 0.0 < float(align(grams[0], grams[2])) < 0.95


def test_many_channels_are_compared_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    from zcproxy.primitives import similarities

    first, second = torch.randn(2, 7, 6, 3, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    whole = similarities.channel_relation_distance(first, second)
    monkeypatch.setattr(similarities, "MOST_ELEMENTS", 2 * 36)
    assert float(similarities.channel_relation_distance(first, second)) == pytest.approx(float(whole), rel=1e-12)
