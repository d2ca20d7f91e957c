from __future__ import annotations

import hashlib
import io
import os
import pickle
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
import torch
from hypothesis import given, strategies as st
from made_tables import made_table
from torch import Tensor, nn
from torch.nn import functional

from zcproxy.benchmarks.nasbench201 import NASBench201Network, NASBench201Space
from zcproxy.benchmarks.nasbench201.encoding import OPERATIONS, to_operations, to_text
from zcproxy.benchmarks.nasbench201.labels import COLUMNS, TABLE, TABLE_FILE
from zcproxy.benchmarks.nasbench201.network import Cell
from zcproxy.benchmarks.shared.label_table import KnownFile
from zcproxy.contracts.task import SearchSpace, Task
from zcproxy.errors import BenchmarkError
from zcproxy.names.tasks import get_task

SPACE = NASBench201Space()
TASKS = ("nasbench201/cifar10", "nasbench201/cifar100", "nasbench201/imagenet16-120")
DISCONNECTED = "|none~0|+|none~0|nor_conv_3x3~1|+|none~0|none~1|avg_pool_3x3~2|"
CONVOLUTIONAL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"
operations = st.tuples(*[st.sampled_from(OPERATIONS)] * 6)
cells = operations.map(to_text)
seeds = st.integers(0, 2**32 - 1)


def conforms(space: SearchSpace, task: Task) -> None:
    """Checked by mypy: the classes implement the engine's protocols."""


# The space


@given(operations)
def test_text_and_operations_are_inverse(chosen: tuple[str, ...]) -> None:
    assert to_operations(to_text(chosen)) == chosen


@given(cells)
def test_parse_keeps_canonical_text(cell: str) -> None:
    assert SPACE.parse(cell) == SPACE.parse(f"  {cell}\n") == cell


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "1 nodes joined by '+', expected 3"),
        ("|none~0|+|none~0|none~1|", "2 nodes joined by '+', expected 3"),
        ("none~0+|none~0|none~1|+|none~0|none~1|none~2|", "node 1 is 'none~0', expected edges between bars"),
        ("|none~0|+|none~0|+|none~0|none~1|none~2|", "node 2 has 1 edges, expected 2"),
        ("|none~0|+|none~0|none~2|+|none~0|none~1|none~2|", "edge 'none~2' of node 2 must come from node 1"),
        ("|none|+|none~0|none~1|+|none~0|none~1|none~2|", "edge 'none' of node 1 must come from node 0"),
        ("|max_pool_3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|", "'max_pool_3x3' (did you mean avg_pool_3x3"),
        ("|convolution~0|+|none~0|none~1|+|none~0|none~1|none~2|", "unknown operation 'convolution'"),
        ("|9~0|+|none~0|none~1|+|none~0|none~1|none~2|", "unknown operation '9'; known operations: none"),
        ("|\n~0|+|none~0|none~1|+|none~0|none~1|none~2|", "unknown operation"),
        ("|" * 10_000, "expected 3"),
    ],
)
def test_text_outside_the_space(text: str, reason: str) -> None:
    with pytest.raises(BenchmarkError) as error:
        SPACE.parse(text)
    message = str(error.value)
    assert reason in message and "\n" not in message and len(message) < 400


def test_enumerate_yields_every_cell_once() -> None:
    assert len(set(SPACE.enumerate())) == len(list(SPACE.enumerate())) == 15_625


@given(cells, seeds)
def test_mutation_is_a_neighbour(cell: str, seed: int) -> None:
    assert SPACE.mutate(cell, random.Random(seed)) in SPACE.neighbours(cell)


@given(cells)
def test_neighbours_are_24_and_mutual(cell: str) -> None:
    neighbours = SPACE.neighbours(cell)
    assert len(set(neighbours)) == 24 and cell not in neighbours
    assert all(cell in SPACE.neighbours(neighbour) for neighbour in neighbours)


@given(cells, cells, seeds)
def test_a_child_takes_every_edge_from_a_parent(first: str, second: str, seed: int) -> None:
    child = SPACE.crossover(first, second, random.Random(seed))
    assert all(gene in pair for gene, *pair in zip(*map(to_operations, (child, first, second)), strict=True))


def test_randomness_comes_from_the_argument_alone() -> None:
    def draws(rng: random.Random) -> list[str]:
        return [SPACE.sample(rng), SPACE.mutate(CONVOLUTIONAL, rng), SPACE.crossover(CONVOLUTIONAL, DISCONNECTED, rng)]

    assert draws(random.Random(1)) == draws(random.Random(1)) != draws(random.Random(2))


@given(cells)
def test_pruning_twice_is_pruning_once(cell: str) -> None:
    assert SPACE.prune(SPACE.prune(cell)) == SPACE.prune(cell)


@given(cells)
def test_equivalence_class_ignores_dead_edges_and_tells_size(cell: str) -> None:
    key = SPACE.equivalence_class(cell)
    assert key == SPACE.equivalence_class(SPACE.prune(cell))
    assert (key == "") == (SPACE.prune(cell) == to_text(["none"] * 6))


def test_equivalence_class_ignores_the_numbering_of_nodes() -> None:
    first = "|nor_conv_1x1~0|+|none~0|none~1|+|skip_connect~0|avg_pool_3x3~1|none~2|"
    second = "|none~0|+|nor_conv_1x1~0|none~1|+|skip_connect~0|none~1|avg_pool_3x3~2|"
    assert SPACE.equivalence_class(first) == SPACE.equivalence_class(second) == "avg_pool_3x3(nor_conv_1x1(x))+x"


def test_prune_agrees_with_the_published_classes(real_data: Path) -> None:
    table = pyarrow.parquet.read_table(real_data / "nasbench201" / TABLE_FILE, columns=["arch", "pruned_index"])
    cells, classes = table["arch"].to_pylist(), table["pruned_index"].to_pylist()
    pruned = [SPACE.prune(cell) for cell in cells]
    assert len(set(pruned)) == len(set(classes)) == len(set(zip(pruned, classes, strict=True))) == 9_445
    assert sorted(cells) == sorted(SPACE.enumerate())


# The network


def multiply_adds(network: nn.Module, input_shape: tuple[int, ...]) -> int:
    """Count convolutions and linear layers for one sample; a bias counts one per output."""
    total = 0

    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        assert isinstance(module, nn.Conv2d | nn.Linear)
        total += output.shape[1:].numel() * (module.weight[0].numel() + (module.bias is not None))

    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(count)
    network.eval()(torch.empty(0, *input_shape))
    return total


@pytest.mark.parametrize("name", TASKS)
def test_parameters_and_multiply_adds_of_all_cells(name: str, real_data: Path) -> None:
    task = get_task(name)
    cells = task.architectures("all")
    published = task.baselines(cells)
    sizes = [(cell.count("nor_conv_1x1"), cell.count("nor_conv_3x3")) for cell in cells]
    built = {}
    for size, cell in dict(zip(sizes, cells, strict=True)).items():
        network = task.build(cell)
        parameters = sum(parameter.numel() for parameter in network.parameters())
        built[size] = (parameters, multiply_adds(network, task.input_shape))
        if name == "nasbench201/cifar10":
            assert built[size] == (
                73_306 + 28_000 * size[0] + 243_040 * size[1],
                7_783_050 + 3_932_160 * size[0] + 35_389_440 * size[1],
            )
    assert len(built) == 28
    parameters, macs = np.array([built[size] for size in sizes]).T
    np.testing.assert_array_equal(published["params"], parameters)
    np.testing.assert_array_equal(published["flops"].astype(np.float32), (macs / 1e6).astype(np.float32))
    np.testing.assert_array_equal(published["convolutions"], np.sum(sizes, axis=1))


def direct_forward(weights: dict[str, Tensor], cell: str, cells: int, inputs: Tensor, training: bool) -> Tensor:
    """The network written out with functional calls, `none` as multiplication by zero."""

    def norm(name: str, x: Tensor) -> Tensor:
        w = {key: weights[f"{name}.{key}"] for key in ("running_mean", "running_var", "weight", "bias")}
        return functional.batch_norm(
            x, w["running_mean"].clone(), w["running_var"].clone(), w["weight"], w["bias"], training=training
        )

    def triple(name: str, x: Tensor, stride: int = 1) -> Tensor:
        kernel = weights[f"{name}.1.weight"]
        return norm(
            f"{name}.2", functional.conv2d(x.clamp(min=0), kernel, stride=stride, padding=kernel.shape[-1] // 2)
        )

    def pool(x: Tensor) -> Tensor:
        ones = torch.ones(1, 1, *x.shape[2:])
        box = torch.ones(1, 1, 3, 3)
        total = functional.conv2d(x.flatten(0, 1).unsqueeze(1), box, padding=1).reshape(x.shape)
        return total / functional.conv2d(ones, box, padding=1)

    apply: dict[str, Callable[[str, Tensor], Tensor]] = {
        "none": lambda _, x: x * 0,
        "skip_connect": lambda _, x: x,
        "nor_conv_1x1": triple,
        "nor_conv_3x3": triple,
        "avg_pool_3x3": lambda _, x: pool(x),
    }
    o01, o02, o12, o03, o13, o23 = (apply[operation] for operation in to_operations(cell))
    x = norm("stem.1", functional.conv2d(inputs, weights["stem.0.weight"], padding=1))
    for position in range(3 * cells + 2):
        name = f"body.{position}"
        if position in (cells, 2 * cells + 1):
            shortcut = functional.conv2d(functional.avg_pool2d(x, 2), weights[f"{name}.shortcut.1.weight"])
            x = shortcut + triple(f"{name}.body.1", triple(f"{name}.body.0", x, stride=2))
            continue
        name = f"{name}.edges"
        one = o01(f"{name}.0_to_1", x)
        two = o02(f"{name}.0_to_2", x) + o12(f"{name}.1_to_2", one)
        x = o03(f"{name}.0_to_3", x) + o13(f"{name}.1_to_3", one) + o23(f"{name}.2_to_3", two)
    features = norm("head.0", x).clamp(min=0).mean(dim=(2, 3))
    return features @ weights["head.4.weight"].T + weights["head.4.bias"]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("cell", [DISCONNECTED, CONVOLUTIONAL, *(SPACE.sample(random.Random(i)) for i in range(12))])
def test_forward_and_gradients_equal_a_direct_implementation(cell: str, training: bool) -> None:
    torch.manual_seed(0)
    network = NASBench201Network(cell, classes=5, channels=4, cells=2).train(training)
    for parameter in network.parameters():  # leave the neutral normalisation of the default initialisation
        nn.init.normal_(parameter, std=0.5)
    inputs = torch.randn(3, 3, 8, 8)
    weights = dict(network.state_dict(keep_vars=True))
    parameters = list(network.parameters())
    expected = direct_forward(weights, cell, 2, inputs, training)
    expected_gradients = torch.autograd.grad(expected.square().sum(), parameters, materialize_grads=True)
    logits = network(inputs)
    torch.testing.assert_close(logits, expected)
    gradients = torch.autograd.grad(logits.square().sum(), parameters, materialize_grads=True)
    torch.testing.assert_close(gradients, expected_gradients, rtol=1e-4, atol=1e-4)


@given(operations)
def test_a_cell_writes_into_no_input_and_keeps_its_shape(chosen: tuple[str, ...]) -> None:
    inputs = torch.randn(2, 4, 4, 4)
    before = inputs.clone()
    assert Cell(chosen, channels=4)(inputs).shape == inputs.shape
    assert torch.equal(inputs, before)


def test_initialisation_follows_torchs_random_state() -> None:
    def weights(seed: int) -> Tensor:
        torch.manual_seed(seed)
        return nn.utils.parameters_to_vector(get_task("nasbench201/cifar10").build(CONVOLUTIONAL).parameters())

    assert torch.equal(weights(1), weights(1)) and not torch.equal(weights(1), weights(2))


def test_build_of_an_unknown_cell() -> None:
    with pytest.raises(BenchmarkError, match="not a NAS-Bench-201 cell"):
        get_task("nasbench201/cifar10").build("|none~0|")


# The tasks


@pytest.mark.parametrize(
    ("name", "classes", "side", "best_accuracy", "best_index"),
    [
        ("nasbench201/cifar10", 10, 32, 94.37, 6111),
        ("nasbench201/cifar100", 100, 32, 73.51, 9930),
        ("nasbench201/imagenet16-120", 120, 16, 47.31, 857),
    ],
)
def test_labels(name: str, classes: int, side: int, best_accuracy: float, best_index: int, real_data: Path) -> None:
    task = get_task(name)
    conforms(task.space, task)
    assert (task.classes, task.input_shape) == (classes, (3, side, side))
    labels = task.labels(task.architectures("all"))
    assert labels.dtype == np.float64 and labels.shape == (15_625,)
    assert labels.argmax() == best_index
    assert labels.max() == pytest.approx(best_accuracy, abs=0.005)
    assert np.array_equal(task.labels(task.architectures("all")[::-7]), labels[::-7])
    assert task.labels([]).shape == (0,)


def test_the_published_populations_have_their_sizes(real_data: Path) -> None:
    task = get_task("nasbench201/cifar10")
    everything, pruned = task.architectures("all"), task.architectures("pruned")
    assert (len(everything), len(pruned)) == (15_625, 9_445)
    assert len({task.space.equivalence_class(cell) for cell in everything}) == 4_660


def test_populations(made_data: Path) -> None:
    task = get_task("nasbench201/cifar10")
    everything, pruned = task.architectures("all"), task.architectures("pruned")
    assert list(pruned) == [cell for cell in everything if SPACE.prune(cell) == cell]
    assert 0 < len(pruned) < len(everything)
    with pytest.raises(BenchmarkError, match="did you mean pruned"):
        task.architectures("prune")


@pytest.mark.parametrize(
    ("population", "expected"),
    [
        ("all", [(0.578, 0.580), (0.553, 0.594), (0.520, 0.574)]),
        ("pruned", [(0.623, 0.626), (0.588, 0.646), (0.547, 0.623)]),
    ],
)
def test_baselines_correlate_as_published(
    population: str, expected: Sequence[tuple[float, float]], real_data: Path
) -> None:
    from scipy.stats import kendalltau

    for name, (params, convolutions) in zip(TASKS, expected, strict=True):
        task = get_task(name)
        cells = task.architectures(population)
        baselines, labels = task.baselines(cells), task.labels(cells)
        assert kendalltau(baselines["params"], labels).statistic == pytest.approx(params, abs=1e-3)
        assert kendalltau(baselines["flops"], labels).statistic == pytest.approx(params, abs=1e-3)
        assert kendalltau(baselines["convolutions"], labels).statistic == pytest.approx(convolutions, abs=1e-3)


def test_noise_ceiling(real_data: Path) -> None:
    ceilings = [get_task(name).noise_ceiling() for name in TASKS]
    assert ceilings[0] is not None and 0.90 <= ceilings[0] <= 0.915
    assert ceilings[1:] == [None, None]


def test_labels_of_text_outside_the_space(made_data: Path) -> None:
    with pytest.raises(BenchmarkError, match="did you mean skip_connect"):
        get_task("nasbench201/cifar10").labels([CONVOLUTIONAL.replace("nor_conv_3x3~2", "skip_conect~2")])


def test_a_task_travels_between_processes(made_data: Path) -> None:
    task = get_task("nasbench201/cifar100")
    copy = pickle.loads(pickle.dumps(task))
    cells = task.architectures("all")
    assert copy.labels(cells).tolist() == task.labels(cells).tolist()


def test_table_is_read_once(made_data: Path) -> None:
    assert TABLE.load() is TABLE.load()


@pytest.mark.parametrize("damage", [lambda data: data[:-1000], lambda data: data[:99] + b"?" + data[100:]])
def test_truncated_or_changed_table(
    damage: Callable[[bytes], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "nasbench201" / TABLE_FILE
    path.parent.mkdir()
    made_table(TABLE, SPACE, 4).to_parquet(path)
    content = path.read_bytes()
    source = replace(TABLE, files=(KnownFile(TABLE_FILE, hashlib.sha256(content).hexdigest()),))
    monkeypatch.setenv("ZCPROXY_DATA", str(tmp_path))
    assert len(source.load().rows) == 4
    path.write_bytes(damage(content))
    with pytest.raises(BenchmarkError, match="truncated or changed"):
        source.load()
    with pytest.raises(BenchmarkError, match="truncated or changed"):  # nor does the task take it for its own
        get_task("nasbench201/cifar10").architectures("all")


def test_a_file_that_is_no_table() -> None:
    with pytest.raises(BenchmarkError, match="is not a table of labels"):
        TABLE.convert([b"PAR1 and nothing else"])
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"arch": [CONVOLUTIONAL]}), buffer)
    with pytest.raises(BenchmarkError, match=COLUMNS[0]):
        TABLE.convert([buffer.getvalue()])


def test_missing_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZCPROXY_DATA", os.fspath(tmp_path / "nowhere"))
    task = get_task("nasbench201/cifar10")
    for ask in (lambda: task.architectures("all"), lambda: task.labels([CONVOLUTIONAL])):
        with pytest.raises(BenchmarkError, match="set ZCPROXY_DATA"):
            ask()
    assert task.batch(4).inputs.shape == (4, *task.input_shape)  # crops of photographs stand in


# Images


@pytest.mark.parametrize(("name", "available"), list(zip(TASKS, (1_024, 1_000, 64), strict=True)))
def test_batch(name: str, available: int, real_data: Path) -> None:
    task = get_task(name)
    batch = task.batch(64)
    assert batch.inputs.shape == (64, *task.input_shape) and batch.inputs.dtype == torch.float32
    assert batch.targets.shape == (64,) and batch.targets.dtype == torch.int64
    assert batch.targets.min() >= 0 and batch.targets.max() < task.classes
    counts = torch.bincount(batch.targets, minlength=min(task.classes, 64))
    assert counts.max() - counts[counts > 0].min() <= 1 and (counts > 0).sum() == min(task.classes, 64)
    assert batch.inputs.mean().abs() < 0.3 and 0.7 < batch.inputs.std() < 1.3
    smaller = task.batch(10)
    assert torch.equal(smaller.inputs, batch.inputs[:10]) and torch.equal(smaller.targets, batch.targets[:10])
    smaller.inputs.zero_()
    assert torch.equal(task.batch(64).inputs, batch.inputs)
    assert len(task.batch(available).targets) == available
    for size in (available + 1, 0, -1):
        with pytest.raises(BenchmarkError, match=f"{size} .* images .* 1 to {available}"):
            task.batch(size)


def test_normalisation_restores_pixels(real_data: Path) -> None:
    batch = get_task("nasbench201/cifar10").batch(8)
    with np.load(real_data / "images/cifar10_sample.npz") as sample:
        originals = {image.tobytes(): label for image, label in zip(sample["X_train"], sample["y_train"], strict=True)}
    mean, std = np.array([125.3, 123.0, 113.9]), np.array([63.0, 62.1, 66.7])
    pixels = np.rint(batch.inputs.numpy().transpose(0, 2, 3, 1) * std + mean).astype(np.uint8)
    assert [originals[image.tobytes()] for image in pixels] == batch.targets.tolist()


def test_imagenet16_pixels_are_averages_of_blocks(real_data: Path) -> None:
    import tarfile

    from PIL import Image

    batch = get_task("nasbench201/imagenet16-120").batch(64)
    with tarfile.open(real_data / "images/imagenet_64x224_jpeg.tar") as archive:
        stream = archive.extractfile(min(archive.getnames()))
        assert stream is not None
        photograph = np.asarray(Image.open(stream).convert("RGB"), dtype=np.float64)
    blocks = photograph.reshape(16, 14, 16, 14, 3).mean(axis=(1, 3))
    first = batch.inputs[batch.targets == 0][0].numpy().transpose(1, 2, 0)
    pixels = first * np.array([63.22, 61.26, 65.09]) + np.array([122.68, 116.66, 104.01])
    assert np.abs(pixels - blocks).max() <= 1.01  # Pillow rounds after either axis
