"""Numbers of layers and of blocks in one formula."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from zcproxy.formula import Blocks, Kind, Node, is_per_block, vocabulary
from zcproxy.formula.choices import number_choices
from zcproxy.formula.evaluate import Evaluator
from zcproxy.formula.layers import RaggedBlocks
from zcproxy.primitives import parse
from zcproxy.random import generator

SIZE, CHANGE, PARAMS, MACS = (
    parse(text) for text in ("mean_abs(block@noise)", "l1_norm(block_jacobian@signs)", "params", "total_macs")
)
NAN = float("nan")

# Three networks: of three layers and two blocks, of one layer and no block, of two layers and three blocks.
COUNTS = np.array([3, 1, 2])
BLOCKS = Blocks(np.array([2, 0, 3]), np.array([0, 2, -1, 1, -1]))
VALUES = {
    SIZE: np.array([1.0, 2.0, 3.0, 4.0, 5.0]),
    CHANGE: np.array([NAN, 0.5, NAN, 0.25, 4.0]),
    PARAMS: np.array([10.0, 20.0, 30.0, 40.0, 50.0, 60.0]),
    MACS: np.array([100.0, 200.0, 300.0]),
}


def value_of(text: str) -> list[float]:
    return Evaluator(COUNTS, VALUES, BLOCKS)(parse(text)).tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mean_abs(block@noise)", True),
        ("mean_abs(grad(block)@data)", True),
        ("dot(block@noise, grad(block)@noise)", True),
        ("l1_norm(block_jacobian@signs) * mean_abs(block@noise) - total_macs", True),
        ("log(2 + mean_abs(block@noise))", True),
        ("mean_abs(output@noise)", False),
        ("dot(block@noise, output@noise)", False),
        ("mean_abs(block@noise) + params", False),
        ("params * total_macs", False),
        ("sum(mean_abs(block@noise))", False),
        ("sum(mean_abs(block@noise)) + params", False),
        ("trace(layer_sum(sample_gram(block@noise)))", False),
        ("total_macs", False),
        ("2", False),
    ],
)
def test_what_reads_blocks_alone_has_a_number_for_each(text: str, expected: bool) -> None:
    assert is_per_block(parse(text)) is expected


def test_sums_of_many_terms_are_told_apart_too() -> None:
    many = [SIZE] * 3000
    assert is_per_block(parse(" + ".join(map(str, many))))
    assert not is_per_block(parse(" + ".join(map(str, [*many, PARAMS]))))
    assert not is_per_block(parse(" + ".join(["total_macs"] * 3000)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sum(mean_abs(block@noise))", [3.0, NAN, 12.0]),
        ("mean(mean_abs(block@noise) * total_macs)", [150.0, NAN, 1200.0]),
        ("last(mean_abs(block@noise)) - first(mean_abs(block@noise))", [1.0, NAN, 2.0]),
        ("nanleast_step(mean_abs(block@noise))", [1.0, NAN, 1.0]),
        ("nansum(l1_norm(block_jacobian@signs) + mean_abs(block@noise))", [2.5, NAN, 13.25]),
        ("slope(mean_abs(block@noise))", [1.0, NAN, 2.0]),
        ("nansum(mean_abs(block@noise) + params)", [11.0 + 32.0, NAN, 64.0]),
        ("nansum(params - mean_abs(block@noise))", [9.0 + 28.0, NAN, 56.0]),
        ("sum(params) + max(mean_abs(block@noise))", [62.0, NAN, 115.0]),
        ("weighted_mean(mean_abs(block@noise), mean_abs(block@noise))", [5.0 / 3.0, NAN, 50.0 / 12.0]),
        ("weighted_mean(mean_abs(block@noise), params)", [NAN, NAN, NAN]),
        ("nanmean(relative_depth * mean_abs(block@noise))", [1.0, NAN, 4.0]),
    ],
)
def test_numbers_of_blocks_meet_those_of_layers_at_their_ends(text: str, expected: list[float]) -> None:
    known = {**VALUES, parse("relative_depth"): np.array([0.0, 0.5, 1.0, 0.0, 0.0, 1.0])}
    np.testing.assert_allclose(Evaluator(COUNTS, known, BLOCKS)(parse(text)), expected)


def test_blocks_of_some_networks_are_taken() -> None:
    taken = BLOCKS.take(np.array([2, 0, 2]))
    assert taken.counts.tolist() == [3, 2, 3] and taken.layers.tolist() == [-1, 1, -1, 0, 2, -1, 1, -1]


# Formulas on networks whose blocks all have a layer: numbers of blocks are numbers of layers that end one

LAYERS = number_choices([SIZE, CHANGE, PARAMS, MACS, parse("depth"), parse("channels")])


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32), st.integers(3, 7))
def test_what_was_defined_layer_by_layer_keeps_its_value(seed: int, depth: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 6, 5)
    ends = [rng.choice(count, rng.integers(0, count + 1), replace=False) for count in counts]
    blocks = Blocks(np.array([len(each) for each in ends]), np.concatenate([np.sort(each) for each in ends]))
    columns: dict[Node, np.ndarray] = {
        SIZE: rng.uniform(-2.0, 2.0, blocks.counts.sum()),
        CHANGE: np.where(rng.random(blocks.counts.sum()) < 0.3, np.nan, rng.uniform(-1.0, 3.0, blocks.counts.sum())),
        PARAMS: rng.uniform(1.0, 9.0, counts.sum()),
        parse("channels"): rng.uniform(1.0, 9.0, counts.sum()),
        MACS: rng.uniform(1.0, 9.0, 5),
        parse("depth"): counts.astype(float),
    }
    places = RaggedBlocks(blocks, counts)
    by_layer = {
        column: places.onto_layers(values) if is_per_block(column) else values for column, values in columns.items()
    }
    formula = LAYERS.generate(Kind.NETWORK, generator("axes", seed), depth)
    before = Evaluator(counts, by_layer)(formula)
    now = Evaluator(counts, columns, blocks)(formula)
    np.testing.assert_allclose(now[np.isfinite(before)], before[np.isfinite(before)], rtol=1e-9)


def test_every_statistic_of_blocks_is_registered_as_one() -> None:
    found = {text for text in vocabulary().leaves if text.startswith(("block", "grad(block"))}
    assert found == vocabulary().block_leaves and "block_jacobian@signs" in found
