"""Measuring on a device: on one that is pretended, whose tensors no operation mixes with those of the CPU."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from pretend_device import Lacks, OnDevice, pretended
from torch import Tensor, nn

from zcproxy.columns.context import Context
from zcproxy.columns.standard import standard_columns
from zcproxy.columns.store import ColumnStore
from zcproxy.columns.sweep import LONGEST_NAME, TooLargeError, measure_architectures, sweep, sweep_failures
from zcproxy.errors import ModelError
from zcproxy.formula import Node
from zcproxy.models.device import DeviceMemoryError, enough_memory, exact
from zcproxy.names.scorers import resolve_scorers
from zcproxy.names.tasks import get_task
from zcproxy.primitives import parse
from zcproxy.probing import placement
from zcproxy.probing.expressions import probes_of
from zcproxy.probing.measure import Measurement, measure
from zcproxy.probing.probes import PROBES
from zcproxy.ranking.scoring import columns_by_setting, score_networks
from zcproxy.text.visible import shortened

Build = Callable[..., tuple[nn.Module, Tensor]]

SOLVERS = ("linalg_eigh", "linalg_eigvalsh", "linalg_slogdet", "linalg_det", "linalg_svd")
"""Operations that a device may lack; those of torch that `torch.linalg` calls."""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def columns_of_zoo() -> list[Node]:
    """Return the standard columns with those of all published proxies."""
    scorers = resolve_scorers("zoo")
    of_zoo = [column for scorer in scorers for columns in columns_by_setting([scorer]).values() for column in columns]
    return list(dict.fromkeys([*standard_columns(("noise", "data", "delta", "ones", "chunks")), *of_zoo]))


def differing(here: Measurement, there: Measurement) -> list[str]:
    """Return the columns that differ by more than what another order of a sum makes."""
    found = []
    for column, values in here.values.items():
        size = np.abs(values[np.isfinite(values)]).max(initial=0.0)
        if not np.allclose(values, there.values[column], rtol=1e-4, atol=1e-6 * size, equal_nan=True):
            found.append(str(column))
    return found


CLASSES = torch.arange(6) % 3


@pytest.mark.parametrize("name", ["in place", "transformer"])
def test_all_columns_are_those_of_the_cpu(network: Build, name: str) -> None:
    columns = columns_of_zoo()
    model, inputs = network(name)
    here = measure(model, inputs, CLASSES, columns)
    with pretended(Lacks(for_one=SOLVERS)):
        there = measure(model.to("cuda"), inputs.to("cuda"), CLASSES.to("cuda"), columns)
    assert here.layers == there.layers
    assert differing(here, there) == []


def test_a_default_device_of_the_caller_changes_nothing(network: Build) -> None:
    columns = [*columns_of_zoo(), *(parse(f"mean_abs(output@{name})") for name in ("shaken", "permuted"))]
    model, inputs = network("residual")
    here = measure(model, inputs, CLASSES, columns)
    with pretended(Lacks(for_one=SOLVERS)), torch.device("cuda"):
        there = measure(model.to("cuda"), inputs.to("cuda"), CLASSES.to("cuda"), columns)
    assert differing(here, there) == []


def test_a_device_without_double_precision_and_linear_algebra(network: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ONLY_PASSES", "WITHOUT_DOUBLE"):
        monkeypatch.setattr(placement, name, frozenset(("cuda",)))
    monkeypatch.setattr("zcproxy.probing.measure.WITHOUT_DOUBLE", frozenset(("cuda",)))
    double = {name for name, probe in PROBES.items() if any(run.double for run in probe.passes)}
    columns = [column for column in columns_of_zoo() if not double & probes_of(column)]
    model, inputs = network("residual")
    here = measure(model, inputs, CLASSES, columns)
    with pretended(Lacks(SOLVERS, dtypes=(torch.float64,))):
        model, inputs, classes = model.to("cuda"), inputs.to("cuda"), CLASSES.to("cuda")
        assert differing(here, measure(model, inputs, classes, columns)) == []
        with pytest.raises(ModelError, match="computes in float64, which cuda:0 lacks: use device=cpu"):
            measure(model, inputs, classes, [parse("mean(output@data64)")])


class Forgetful(nn.Module):
    """A network that makes a tensor and leaves it on the CPU."""

    def __init__(self) -> None:
        super().__init__()
        self.map = nn.Linear(6, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.map(inputs * torch.ones(6))


def test_the_pretended_device_finds_what_is_mixed() -> None:
    with pretended(Lacks(("linalg_eigh",))):
        inputs, network = torch.randn(4, 6).to("cuda"), Forgetful().to("cuda")
        with pytest.raises(ModelError, match=r"on the same device, but found at least two devices, cuda:0 and cpu"):
            measure(network, inputs, None, [parse("l1_norm(weight)")])
        with pytest.raises(RuntimeError, match="same device"):
            torch.stack([inputs[0], torch.ones(6)])
        with pytest.raises(TypeError, match=r"Use Tensor\.cpu"):
            inputs.numpy()
        with pytest.raises(NotImplementedError, match="linalg_eigh"):
            torch.linalg.eigvalsh(torch.eye(3, device="cuda"))
        assert isinstance(inputs.exp(), OnDevice) and type(inputs.cpu()) is Tensor


def test_what_layers_have_is_fetched_at_once(network: Build) -> None:
    model, inputs = network("cell")
    fetches = []
    columns = [parse(f"{name}(sample_gram(output@noise))") for name in ("logdet", "trace", "largest_eigenvalue")]
    with pretended(), pytest.MonkeyPatch.context() as patched:
        original = placement.fetched

        def counting(tensors: list[Tensor]) -> list[Tensor]:
            fetches.append(len(tensors))
            return original(tensors)

        patched.setattr("zcproxy.probing.expressions.fetched", counting)
        found = measure(model.to("cuda"), inputs.to("cuda"), CLASSES.to("cuda"), columns)
    assert [number for number in fetches if number] == [found.layers]  # one matrix per layer, whatever reads it


def test_a_gpu_computes_in_float32_and_the_caller_keeps_what_was_set() -> None:
    seen = []

    class Watching(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.map = nn.Linear(6, 3)

        def forward(self, inputs: Tensor) -> Tensor:
            seen.append((torch.backends.cudnn.allow_tf32, torch.get_float32_matmul_precision()))
            return self.map(inputs)

    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        with pretended():
            measure(Watching().to("cuda"), torch.randn(4, 6).to("cuda"), None, [parse("l1_norm(output@noise)")])
        assert set(seen) == {(False, "highest")}
        assert torch.backends.cudnn.allow_tf32 and torch.get_float32_matmul_precision() == "high"
        with pytest.raises(RuntimeError), exact():
            raise RuntimeError
        assert torch.backends.cudnn.allow_tf32 and torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision(before)


@pytest.fixture
def short_of_memory(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Three networks of `digits201`, of which the second asks for more memory than there is, as torch says that."""
    task = get_task("digits201")
    names = list(task.architectures("all")[:3])
    build_one = type(task).build

    def building(self: object, architecture: str) -> nn.Module:
        network = build_one(self, architecture)  # type: ignore[arg-type]
        if architecture == names[1]:
            network.register_forward_pre_hook(_no_memory)
        return network

    monkeypatch.setattr(type(task), "build", building)
    return names


def _no_memory(*_: object) -> None:
    raise torch.OutOfMemoryError(
        "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 8.00 GiB of which 1.00 GiB is "
        "free. If reserved but unallocated memory is large try setting PYTORCH_CUDA_ALLOC_CONF"
    )


def test_a_network_that_is_too_large_leaves_the_others(short_of_memory: list[str], tmp_path: Path) -> None:
    task, columns = get_task("digits201"), [parse("l1_norm(weight)"), parse("max(output@noise)")]
    with pytest.raises(TooLargeError) as refused:
        sweep(Context(task, 5), short_of_memory, columns, cache=tmp_path)
    message = str(refused.value)
    name = shortened(short_of_memory[1], LONGEST_NAME)
    assert list(refused.value.reasons) == [short_of_memory[1]] and "\n" not in message
    assert message.startswith(f"the network '{name}' cannot be measured: cpu has too little memory")
    assert "with a batch of 5 (CUDA out of memory. Tried to allocate 20.00 GiB" in message
    assert message.endswith("(1 of 3 networks are too large; 2 others are measured and kept)")
    store = ColumnStore(tmp_path, Context(task, 5))
    assert [bool(store.missing(name, columns)) for name in short_of_memory] == [False, True, False]
    assert sweep_failures(store, short_of_memory, columns).keys() == {short_of_memory[1]}


def test_it_has_no_score_and_ranks_last(short_of_memory: list[str], tmp_path: Path) -> None:
    found = score_networks(["size=sum(l1_norm(weight))"], "digits201", short_of_memory, population="3", cache=tmp_path)
    assert np.isnan(found.scores["size"]).tolist() == [False, True, False]
    assert "1 of 3 networks are too large for cpu and rank last; of the first: the network" in found.remarks[0]
    with pytest.raises(TooLargeError, match=r"\(1 of 1 networks are too large\)"):
        score_networks(["size=sum(l1_norm(weight))"], "digits201", short_of_memory[1:2], population="1", cache=tmp_path)


@pytest.mark.parametrize("message", ["MPS backend out of memory (MPS allocated: 1 GB)", "out of time"])
def test_what_counts_as_a_lack_of_memory(message: str) -> None:
    expected = DeviceMemoryError if "memory" in message else RuntimeError
    with pytest.raises(expected), enough_memory(torch.device("mps"), 8):
        raise RuntimeError(message)


def test_spaces_of_benchmarks_are_measured_on_a_device() -> None:
    texts = [str(column) for column in standard_columns(("noise", "data"))]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("digits201", "digits-vit"):
            task = get_task(name)
            networks = task.architectures("all")[:1]
            (here,) = measure_architectures(Context(task), networks, texts)
            with pretended(Lacks(for_one=SOLVERS)):
                (there,) = measure_architectures(Context(task, device="cuda"), networks, texts)
            assert differing(here, there) == []
