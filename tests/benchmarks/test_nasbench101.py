"""NAS-Bench-101 against its published sizes and graphs; the official file is written here, byte by byte."""

from __future__ import annotations

import base64
import csv
import gzip
import itertools
import json
import math
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tfrecord_writer import bytes_field, double_field, frame, whole_field
from torch import nn

from zcproxy.benchmarks.nasbench101 import NASBench101Space
from zcproxy.benchmarks.nasbench101.cell import OPERATIONS, canonical, edges_of
from zcproxy.benchmarks.nasbench101.hashing import module_hash
from zcproxy.benchmarks.nasbench101.labels import PART_FILE, TABLE, convert_rows
from zcproxy.benchmarks.nasbench101.network import vertex_channels
from zcproxy.contracts.task import SearchSpace, Task
from zcproxy.errors import BenchmarkError
from zcproxy.models.costs import count_costs
from zcproxy.names.spaces import get_space
from zcproxy.names.tasks import get_task
from zcproxy.testing import check_network, check_space

Command = Callable[..., tuple[int, str, str]]
SPACE, SMALL = NASBench101Space(), NASBench101Space(channels=8, cells=1)
TASK = "nasbench101/cifar10"
OFFICIAL_NAMES = {"conv3x3": "conv3x3-bn-relu", "conv1x1": "conv1x1-bn-relu", "maxpool3x3": "maxpool3x3"}
INCEPTION = "conv1x1~0/conv3x3~0/conv3x3~0/conv3x3~3/maxpool3x3~0/output~1.2.4.5"
"""The example of the benchmark's authors: an Inception module, its 5x5 convolution replaced by two of 3x3."""


def conforms(space: SearchSpace, task: Task) -> None:
    """Checked by mypy: the classes implement the engine's protocols."""


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def renumbered(text: str, rng: random.Random) -> str:
    """Return the text of the same graph in another numbering of its inner vertices."""
    cell = SPACE.decode(text)
    order: list[int] = []
    while len(order) < len(cell.operations):
        free = [v for v in range(1, cell.output) if v not in order and {*cell.sources(v)} <= {0, *order}]
        order.append(rng.choice(free))
    place = {0: 0, cell.output: cell.output, **{vertex: number for number, vertex in enumerate(order, start=1)}}
    parts = []
    for name, vertex in [*((cell.operations[v - 1], v) for v in order), ("output", cell.output)]:
        sources = sorted(place[source] for source in cell.sources(vertex))
        parts.append(f"{name}~{'.'.join(map(str, sources))}")
    return "/".join(parts)


# Cells


def test_the_kit() -> None:
    check_space(SMALL, (3, 8, 8), classes=5, samples=12)


def test_the_network_of_the_benchmark_runs() -> None:
    check_network(lambda: SPACE.build("conv1x1~0/output~0.1", (3, 6, 6), 10), (3, 6, 6), 10)


def test_cells_of_up_to_five_vertices_are_as_many_as_published() -> None:
    cells = list(itertools.takewhile(lambda text: text.count("/") < 4, SPACE.enumerate()))
    assert Counter(text.count("/") + 2 for text in cells) == {2: 1, 3: 6, 4: 84, 5: 2441}
    assert len({module_hash(SPACE.decode(text)) for text in cells}) == len(cells)


def test_samples_are_uniform_over_cells() -> None:
    rng = random.Random(0)
    vertices = Counter(SPACE.sample(rng).count("/") + 2 for _ in range(400))
    for number, cells in {7: 359_082, 6: 62_010}.items():  # of 423,624
        share = cells / SPACE.size
        assert abs(vertices[number] / 400 - share) < 4 * math.sqrt(share * (1 - share) / 400)


def test_isomorphic_graphs_and_dead_vertices_have_one_text() -> None:
    rng = random.Random(1)
    for _ in range(50):
        text = SPACE.sample(rng)
        other = renumbered(text, rng)
        assert SPACE.parse(other) == text
        assert SPACE.equivalence_class(other) == SPACE.equivalence_class(text)
    assert SPACE.parse("maxpool3x3~0/conv3x3~0/conv1x1~/output~2") == "conv3x3~0/output~1"
    assert SPACE.parse("conv3x3~0/conv1x1~0/conv3x3~2/conv3x3~2/output~0.1") == "conv3x3~0/output~0.1"


def test_repeated_pooling_is_one() -> None:
    twice = "conv3x3~0/maxpool3x3~1/maxpool3x3~1/conv1x1~2/conv3x3~3/output~4.5"
    once = "conv3x3~0/maxpool3x3~1/conv1x1~2/conv3x3~2/output~3.4"
    assert SPACE.parse(twice) != SPACE.parse(once)
    assert SPACE.equivalence_class(twice) == SPACE.equivalence_class(once) == SPACE.parse(once)
    networks = []
    for text in (twice, once):
        torch.manual_seed(0)
        networks.append(SMALL.build(text, (3, 8, 8), 5))
    weights, others = (list(network.parameters()) for network in networks)
    assert [w.shape for w in weights] == [w.shape for w in others]
    images = torch.randn(4, 3, 8, 8)
    torch.testing.assert_close(networks[0](images), networks[1](images))


@pytest.mark.parametrize(
    "cell",
    [
        "maxpool3x3~0/maxpool3x3~0/conv1x1~1/conv3x3~2/output~3.4",  # each has weights of its own before it
        "conv3x3~0/maxpool3x3~1/maxpool3x3~1/output~2.3",  # joined, they give as many channels twice
        "conv3x3~0/maxpool3x3~1/maxpool3x3~1/conv1x1~2.3/output~4",  # their sum is twice one
    ],
)
def test_pooling_that_is_not_repeated(cell: str) -> None:
    assert SPACE.equivalence_class(cell) == SPACE.parse(cell)


def test_edits_reach_smaller_and_larger_cells() -> None:
    near = SPACE.neighbours("conv3x3~0/output~1")
    assert {"output~0", "maxpool3x3~0/output~1", "conv3x3~0/output~0.1", "conv3x3~0/conv1x1~1/output~2"} <= {*near}
    largest = "conv3x3~0/conv3x3~0.1/conv3x3~0.2/conv3x3~3/conv3x3~4/output~1.5"
    assert len(SPACE.decode(largest).edges) == 9
    assert {text.count("/") + 2 for text in SPACE.neighbours(largest)} == {7, 6}


def test_children_have_edges_and_operations_of_their_parents() -> None:
    rng = random.Random(2)
    first, second = "conv3x3~0/conv1x1~1/output~0.2", "maxpool3x3~0/maxpool3x3~0/output~1.2"
    children = {SPACE.crossover(first, second, rng) for _ in range(60)}
    assert {first, second} < children and len(children) > 6
    assert all(len(SPACE.decode(child).operations) <= 2 for child in children)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "its last vertex is '', not 'output'"),
        ("conv3x3~0", "its last vertex is 'conv3x3', not 'output'"),
        ("conv5x5~0/output~1", "unknown operation 'conv5x5' .did you mean conv3x3"),
        ("conv3x3~1/output~1", "'1' does not lead to vertex 1: name vertices from 0 to 0"),
        ("conv3x3~0.0/output~1", "a vertex leads to vertex 1 twice"),
        ("conv3x3~a/output~1", "'a' does not lead"),
        ("conv3x3~0/output~", "no path leads from the input to the output"),
        ("/".join(["conv3x3~0"] * 6 + ["output~1"]), "it has 8 vertices with the input, at most 7"),
        ("conv3x3~0/conv3x3~0.1/conv3x3~0.1.2/conv3x3~0.1.2/output~3.4", "11 edges, a cell has at most 7 and 9"),
        ("conv3x3~" + "9" * 4000 + "/output~1", "does not lead to vertex 1"),
    ],
)
def test_text_of_another_space(text: str, message: str) -> None:
    with pytest.raises(BenchmarkError, match=f"is not an architecture of nasbench101: .*{message}") as caught:
        SPACE.parse(text)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


def test_options_and_inputs_that_make_no_sense() -> None:
    with pytest.raises(BenchmarkError, match="channels=4, cells=3: a cell of NAS-Bench-101 shares"):
        get_space("nasbench101", {"channels": 4})
    with pytest.raises(BenchmarkError, match="take images, not inputs of shape"):
        SPACE.build("output~0", (10,), 2)


# Network


def test_channels_are_shared_among_the_vertices_before_the_output() -> None:
    assert vertex_channels(SPACE.decode(INCEPTION), 128) == [32] * 5
    assert vertex_channels(SPACE.decode("conv3x3~0/conv3x3~0/conv3x3~0/output~1.2.3"), 128) == [43, 43, 42]
    assert vertex_channels(SPACE.decode("conv3x3~0/conv3x3~1/conv3x3~1/output~2.3"), 7) == [4, 4, 3]


def test_a_cell_adds_the_first_channels_and_projections_of_its_input() -> None:
    cell = SMALL.build("conv1x1~0/conv1x1~0/conv1x1~0.2/output~0.1.3", (3, 8, 8), 5).eval().get_submodule("body.0")
    inputs = torch.randn(2, 8, 4, 4)
    projections, operations = (
        dict(cell.get_submodule(name).named_children()) for name in ("projections", "operations")
    )
    assert set(projections) == {"1", "2", "3", "4"}
    first = operations["0"](projections["1"](inputs))
    second = operations["1"](projections["2"](inputs))
    third = operations["2"](second + projections["3"](inputs))
    expected = torch.cat([first, third], dim=1) + projections["4"](inputs)
    torch.testing.assert_close(cell(inputs), expected)


def test_initialisation_is_the_official_one() -> None:
    torch.manual_seed(0)
    network = SPACE.build("conv3x3~0/output~1", (3, 32, 32), 10)
    weight = network.get_parameter("body.10.operations.0.0.weight")
    bound = 2 * math.sqrt(1 / (512 * 9)) / 0.87962566103423978
    assert weight.shape == (512, 512, 3, 3)
    assert float(weight.detach().std()) == pytest.approx(math.sqrt(1 / (512 * 9)), rel=0.01)
    assert bound * 0.99 < float(weight.detach().abs().max()) <= bound
    assert not network.get_parameter("head.2.bias").any()


def test_blocks_end_with_the_cells() -> None:
    network = SMALL.build("conv3x3~0/output~1", (3, 8, 8), 5)
    assert network.block_ends == ("stem", "body.0", "body.2", "body.4")


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 9, 6)])
def test_costs_are_those_of_the_network(shape: tuple[int, int, int]) -> None:
    rng = random.Random(3)
    for text in ["output~0", *(SMALL.sample(rng) for _ in range(5))]:
        costs = count_costs(SMALL.build(text, shape, 5), shape)
        assert (SMALL.macs(text, shape, 5), SMALL.convolutions(text)) == (costs.macs, costs.convolutions)


# The part of 15,000 cells


@pytest.fixture
def rows(real_data: Path) -> list[dict[str, str]]:
    with gzip.open(real_data / "nas_bench_101" / f"{PART_FILE}.gz", "rt") as stream:
        return list(csv.DictReader(stream))


def test_the_parameters_of_many_networks_are_the_published_ones(rows: list[dict[str, str]]) -> None:
    task = get_task(TASK)
    conforms(task.space, task)
    architectures = task.architectures("all")
    drawn = random.Random(4).sample(range(len(rows)), 150)
    with torch.device("meta"):
        found = [parameters(task.build(architectures[number])) for number in drawn]
    assert found == [int(rows[number]["trainable_parameters"]) for number in drawn]
    assert task.baselines([architectures[drawn[0]]])["params"] == found[0]


def test_graphs_hashes_and_labels_are_the_published_ones(rows: list[dict[str, str]]) -> None:
    task = get_task(TASK)
    architectures = task.architectures("all")
    assert len(architectures) == len(rows) == 15_000
    labels = task.labels(architectures)
    for number, row in enumerate(rows[:2000]):
        cell = SPACE.decode(architectures[number])
        assert module_hash(cell) == row["module_hash"]
        assert cell.edges == edges_of(int(row["upper_bits"]))  # the numbering is the published one
        assert cell.operations == tuple(OPERATIONS[int(digit)] for digit in row["ops"])
        assert labels[number] == 100 * float(row["108_final_validation_accuracy"])
    assert task.noise_ceiling() is None


def test_rows_that_make_no_sense_are_left_out(rows: list[dict[str, str]]) -> None:
    changes: list[dict[str, Any]] = [
        {"module_hash": "0" * 32},
        {"ops": "3" * 5},
        {"upper_bits": 2**21},
        {"108_final_validation_accuracy": "1.5"},
        {"108_final_validation_accuracy": ""},
    ]
    changed = [*(row | change for row, change in zip(rows, changes, strict=False)), rows[5], rows[5]]
    names = list(rows[0])
    lines = [",".join(names), *(",".join(str(row[name]) for name in names) for row in changed)]
    found = convert_rows(["\n".join(lines).encode()])
    assert len(found.left_out) == len(changes)
    for line, message in zip(found.left_out, ("module hash", "are no cell", "no edges", "a share", "nan"), strict=True):
        assert message in line
    assert found.frame["training_0"].tolist() == found.frame["training_1"].tolist()


# The official file


def record(text: str, accuracies: tuple[float, ...], params: int, **changes: Any) -> bytes:
    """Return a training as the official file has it; `accuracies` are those at its start, half and end."""
    cell = SPACE.decode(text)
    side = cell.output + 1
    adjacency = "".join(str(int((x, y) in cell.edges)) for x in range(side) for y in range(side))
    names = ["input", *(OFFICIAL_NAMES[name] for name in cell.operations), "output"]
    evaluations = [
        b"".join(double_field(number, value) for number, value in enumerate((108.0, 9.5, 0.9, share, 0.8), start=1))
        + bytes_field(6, b"")
        for share in accuracies
    ]
    metrics = b"".join(bytes_field(1, each) for each in evaluations) + whole_field(2, params) + double_field(3, 20.5)
    values = {
        "key": module_hash(cell),
        "epochs": 108,
        "adjacency": adjacency,
        "operations": ",".join(names),
        "metrics": base64.b64encode(metrics).decode(),
    }
    return json.dumps([*(values | changes).values()]).encode()


def size(text: str) -> int:
    with torch.device("meta"):
        return parameters(SPACE.build(text, (3, 32, 32), 10))


SINGLE, CHAIN = "output~0", "conv1x1~0/output~1"


@pytest.fixture
def trainings() -> list[bytes]:
    cells = {text: size(text) for text in (INCEPTION, SINGLE, CHAIN)}
    shares = {INCEPTION: (0.91, 0.92, 0.93), SINGLE: (0.1, 0.3, 0.2), CHAIN: (0.5, 0.75)}
    found = [record(text, (0.1, 0.4, share), params) for text, params in cells.items() for share in shares[text]]
    return [*found, record(INCEPTION, (0.1, 0.2, 0.3), cells[INCEPTION], epochs=4)]


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZCPROXY_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def test_the_official_file_is_imported(run: Command, directory: Path, tmp_path: Path, trainings: list[bytes]) -> None:
    path = tmp_path / "nasbench_only108.tfrecord"
    path.write_bytes(b"".join(map(frame, trainings)))
    code, _, error = run("benchmark", "import", "nasbench101", path.name)
    assert (code, "is not an official file: its sha256 is" in error, "--trust" in error) == (2, True, True)
    code, _, error = run("benchmark", "import", "nasbench101", ".", "--trust")
    assert code == 0, error
    assert "3 networks from nasbench_only108.tfrecord (trusted, not known)" in error
    task = get_task(TASK)
    assert task.architectures("all") == (SPACE.parse(INCEPTION), SINGLE, CHAIN)
    np.testing.assert_allclose(task.labels([INCEPTION, SINGLE, CHAIN]), [92, 20, 62.5])
    assert task.baselines([INCEPTION])["params"] == size(INCEPTION)
    assert task.noise_ceiling() == 1.0
    assert TABLE.load().columns["training_2"].tolist()[:2] == [93, 20]
    code, _, error = run("benchmark", "verify", "nasbench101")
    assert (code, "3 labels, 20.00 to 92.00 %, imported from nasbench_only108.tfrecord" in error) == (0, True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"key": "0" * 32}, "its graph is not the one with the module hash"),
        ({"adjacency": "0110"}, "an edge of its graph leads backwards"),
        ({"adjacency": "0101"}, "an edge of its graph leads backwards"),
        ({"adjacency": "0200"}, "its graph is not made of 0 and 1"),
        ({"adjacency": "0000"}, "no path leads from the input to the output"),
        ({"operations": "input,conv5x5,output", "adjacency": "010001000"}, "the unknown operation 'conv5x5'"),
        ({"operations": "input,output,output"}, "are not a graph of a cell"),
        ({"operations": "output,input"}, "from input to output"),
        ({"metrics": "?"}, "its metrics are not base64"),
        ({"metrics": base64.b64encode(b"\x08").decode()}, "ends inside a number"),
        ({"metrics": ""}, "it has 0 evaluations"),
        ({"epochs": "108"}, "a str stands for a whole number"),
        ({"metrics": 1}, "are not text"),
    ],
)
def test_a_bad_record_is_named_and_the_others_stay(
    run: Command, directory: Path, tmp_path: Path, trainings: list[bytes], changes: dict[str, Any], message: str
) -> None:
    bad = record(SINGLE, (0.1, 0.2, 0.3), size(SINGLE), **changes)
    (tmp_path / "some.tfrecord").write_bytes(b"".join(map(frame, [bad, *trainings, b"no json"])))
    code, _, error = run("benchmark", "import", "nasbench101", "some.tfrecord", "--trust")
    lines = [line for line in error.splitlines() if "left out" in line]
    assert (code, len(lines)) == (0, 2)
    assert "left out record 0: " in lines[0] and message in lines[0]
    assert "left out record 10: " in lines[1]
    assert len(get_task(TASK).architectures("all")) == 3


def test_trainings_that_do_not_fit_the_others(run: Command, directory: Path, tmp_path: Path) -> None:
    params = size(SINGLE)
    odd = [
        *[record(SINGLE, (0.1, 0.2, share), params) for share in (0.5, 0.6, 0.7, 0.8)],
        record(SINGLE, (0.1, 0.2, 0.3), params + 1),
        record(CHAIN, (0.1, 0.2, 1.2), 5),
        record(CHAIN, (0.1, 0.2, math.inf), 5),
        record(CHAIN, (0.1, 0.2), 5),
        record(INCEPTION, (0.1, 0.2, 0.9), size(INCEPTION)),
    ]
    (tmp_path / "some.tfrecord").write_bytes(b"".join(map(frame, odd)))
    code, _, error = run("benchmark", "import", "nasbench101", "some.tfrecord", "--trust")
    assert code == 0
    for message in (
        "more than 3 trainings",
        f"{params + 1} parameters",
        "1.2 is not a share",
        "is inf",
        "2 evaluations",
    ):
        assert message in error
    np.testing.assert_allclose(get_task(TASK).labels([SINGLE, INCEPTION]), [60, 90])


def test_a_confirmed_run_asks_for_the_labels(run: Command, directory: Path) -> None:
    directory.mkdir()
    code, _, error = run("evolve", "nasbench101", "--use-set-aside", "--generations", "1")
    assert (code, f"has no nas_bench_101/{PART_FILE}: fetch the official files" in error) == (2, True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no cell of NAS-Bench-101 that was trained for 108 epochs"),
        (frame(b"[]"), "trained for 108 epochs; record 0: it is not a list of 5 values"),
        (frame(b"[]")[:-1], "some.tfrecord is damaged at record 0"),
    ],
)
def test_files_without_a_cell(run: Command, directory: Path, tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "some.tfrecord").write_bytes(content)
    code, _, error = run("benchmark", "import", "nasbench101", "some.tfrecord", "--trust")
    assert (code, message in error) == (2, True)
    assert not directory.exists()


def test_a_graph_in_any_numbering_is_the_cell() -> None:
    cell = canonical({5: "conv1x1", 3: "maxpool3x3"}, [(0, 5), (5, 3), (3, 9), (0, 9)], 9)
    assert cell == SPACE.decode("conv1x1~0/maxpool3x3~1/output~0.2")
