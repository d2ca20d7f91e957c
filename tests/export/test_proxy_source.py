from __future__ import annotations

import importlib
import json
import math
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from types import ModuleType

import pytest
import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from zcproxy import Proxy
from zcproxy.benchmarks.nasbench201 import NASBench201Network
from zcproxy.benchmarks.nasbench201.encoding import to_text
from zcproxy.columns.standard import standard_columns
from zcproxy.export.proxy_source import export_python
from zcproxy.formula import Kind, Node, vocabulary
from zcproxy.formula.choices import Choices, number_choices
from zcproxy.names.proxies import resolve_proxy
from zcproxy.primitives import parse
from zcproxy.primitives.zoo import NAMES
from zcproxy.probing.probes import OF_TEACHER

# Runs in a process of its own, in which neither numpy nor zcproxy can be imported.
ALONE = """
import sys


class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("numpy", "zcproxy"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Block())
import json, runpy, warnings
with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="Failed to initialize NumPy")
    import torch
    torch.zeros(1)
torch.set_num_threads(1)
warnings.simplefilter("error")
cases = torch.load(sys.argv[1], weights_only=False)
scores = []
for path in sys.argv[2:]:
    score = runpy.run_path(path, run_name="exported")["score"]
    scores.append([score(*case) for case in cases])
assert not {"numpy", "zcproxy"} & sys.modules.keys()
print(json.dumps(scores))
"""

Case = tuple[nn.Module, Tensor, Tensor | None]

FORMULAS = (
    "sum(frobenius_norm(grad(weight)@noise))",
    "sum(abs_dot(weight, grad(weight)@data)) / total_params",
    "mean(mean_abs(grad(output)@logits)) + max(std(activation@logits)) - min(mean(normalized@logits))",
    "std(frobenius_norm(grad(weight)@delta)) * median(mean_abs(output@delta))",
    "log_sum(sum(abs(weight@ones * grad(weight)@ones)))",
    "sum_log(sum(mean(abs(grad(weight)@chunks)) / std(abs(grad(weight)@chunks))))",
    "ridge_logdet(layer_sum(sample_hamming(preactivation@noise))) * log_paths",
    "trace(layer_sum(sample_gram(input@data))) + effective_rank(layer_sum(sample_gram(input@data)))",
    "sum(trace(matmul(weight, weight@ones)))",
    "first(kurtosis(weight)) + last(entropy(weight)) - slope(std(weight))",
    "weighted_mean(mean_abs(grad(weight)@noise) / mean(mean_abs(grad(weight)@noise)), macs)",
    "max(dot(grad(weight)@noise, grad(weight)@data)) + last(cosine_similarity(grad(weight)@noise, weight@data))",
    "sum(largest_eigenvalue(matmul(grad(weight)@noise, weight))) + sum(mean(softmax(input@noise) * output@noise))",
    "sum(participation_ratio(filter_gram(sign(grad(weight)@noise))) + dominance(filter_gram(grad(weight)@noise)))",
    "minimum(power(abs(slope(params)), 0.37), maximum(sqrt(depth), -2.5)) + sum(minimum(fan_in, depth))",
    "sum(sigmoid(tanh(relu(log(macs) - 3)))) * exp(-0.1) + greater(depth, 3) - less(depth, 3)",
    "std(sign(relative_depth - 0.5)) + mean(heaviside(path_share - 0.2)) + square(negative(log_paths))",
    "positive(shortest_path) + reciprocal(longest_path) + median(kernel) * max(groups) - last(in_channels)",
    "total_macs",
    "2.5",
)


class SharedModule(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.shared, self.last = nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = functional.relu(self.shared(functional.relu(self.first(inputs))))
        logits: Tensor = self.last(hidden + self.shared(hidden))
        return logits


class InPlace(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm, self.last = nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.Conv2d(5, 4, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = functional.relu(self.norm(self.first(inputs)), inplace=True)
        hidden = functional.relu(self.last(hidden), inplace=True)
        return hidden.mean((2, 3))


class Windows(nn.Module):
    """The number of samples differs between layers, so that their sample matrices have no sum."""

    def __init__(self) -> None:
        super().__init__()
        self.whole, self.parts = nn.Linear(4, 6), nn.Linear(3, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        logits: Tensor = self.parts(self.whole(inputs).reshape(-1, 3)).reshape(-1, 6)
        return logits


class VisionTransformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, stride=4)
        self.block = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.head = nn.Linear(8, 4)

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.block(self.patches(images).flatten(2).transpose(1, 2))
        logits: Tensor = self.head(tokens.mean(1))
        return logits


def cases() -> dict[str, Case]:
    torch.manual_seed(0)
    images = torch.randn(8, 3, 8, 8)

    def nasbench201(cell: str) -> nn.Module:
        return NASBench201Network(cell, 10, channels=4, cells=1)

    convolutional = nn.Sequential(nn.Conv1d(2, 4, 3), nn.ReLU(), nn.Conv1d(4, 4, 3), nn.Flatten(), nn.Linear(24, 3))
    perceptron = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))
    dead_edge = "|nor_conv_3x3~0|+|nor_conv_1x1~0|none~1|+|skip_connect~0|none~1|avg_pool_3x3~2|"
    full = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
    disconnected = "|none~0|+|none~0|nor_conv_3x3~1|+|none~0|none~1|avg_pool_3x3~2|"
    return {
        "nasbench201": (nasbench201(full), images, torch.arange(8) % 6),
        "dead edge": (nasbench201(dead_edge), images, None),
        "disconnected": (nasbench201(disconnected), images, None),
        "perceptron": (perceptron, torch.randn(9, 6), torch.arange(9) % 3),
        "1-d convolution": (convolutional, torch.randn(5, 2, 10), None),
        "transformer": (VisionTransformer(), images, None),
        "shared module": (SharedModule(), torch.randn(4, 6), None),
        "in place": (InPlace(), images, torch.arange(8) % 4),
        "windows": (Windows(), torch.randn(4, 4), None),
        "one sample": (perceptron, torch.randn(1, 6), None),
    }


def standalone(model: nn.Module) -> nn.Module:
    """The same network, made of nothing but torch's own classes."""
    traced = fx.symbolic_trace(model)
    for node in traced.graph.nodes:
        node.type = None  # annotations are strings, which torch cannot pickle
    traced.recompile()
    return traced


def scores_alone(formulas: Sequence[Node], cases: Sequence[Case], folder: Path) -> list[list[float]]:
    """Scores of exported formulas (rows) for cases, from a process that has torch alone."""
    traced = [(standalone(model), inputs, targets) for model, inputs, targets in cases]
    torch.save(traced, folder / "cases.pt")
    (folder / "alone.py").write_text(ALONE)
    paths = [folder / f"formula_{index}.py" for index in range(len(formulas))]
    for path, formula in zip(paths, formulas, strict=True):
        path.write_text(export_python(Proxy(formula)))
    command = [sys.executable, "-I", str(folder / "alone.py"), str(folder / "cases.pt"), *map(str, paths)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    scores: list[list[float]] = json.loads(result.stdout)
    return scores


def same(first: float, second: float) -> bool:
    return (math.isnan(first) and math.isnan(second)) or math.isclose(first, second, rel_tol=1e-5)


def compare(formulas: Sequence[Node], cases: Mapping[str, Case], folder: Path) -> float:
    """Check that exports agree with proxies; return the share of scores that are defined."""
    exported = scores_alone(formulas, list(cases.values()), folder)
    expected = [[Proxy(formula)(*case) for case in cases.values()] for formula in formulas]
    different = [
        f"{formula} on {name}: {score} exported, {right} expected"
        for formula, scores, rights in zip(formulas, exported, expected, strict=True)
        for name, score, right in zip(cases, scores, rights, strict=True)
        if not same(score, right)
    ]
    assert not different, "\n".join(different)
    numbers = [score for scores in exported for score in scores]
    return sum(map(math.isfinite, numbers)) / len(numbers)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Proxy], ModuleType]:
    def loaded(proxy: Proxy) -> ModuleType:
        (tmp_path / "exported_proxy.py").write_text(export_python(proxy))
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "exported_proxy", raising=False)
        return importlib.import_module("exported_proxy")

    return loaded


def test_exports_score_like_the_proxy_on_every_kind_of_network(tmp_path: Path) -> None:
    assert compare([parse(text) for text in FORMULAS], cases(), tmp_path) > 0.6


def shallow(kind: Kind, choices: Choices, rng: Random) -> Node:
    return choices.generate(kind, rng, int(choices.least_depth[kind]))


REDUCED_BY = {Kind.NETWORK_MATRIX: "trace", Kind.PATTERNS: "distinct_patterns"}


def as_network(node: Node) -> Node:
    """A formula that has the node in it."""
    while node.kind is not Kind.NETWORK:
        node = vocabulary().apply(REDUCED_BY.get(node.kind, "mean"), node)
    return node


def test_every_primitive_can_be_exported(tmp_path: Path) -> None:
    rng = Random(0)
    registry = vocabulary()
    leaves = [registry.leaf(text) for text in registry.leaves if text.rpartition("@")[2] not in OF_TEACHER]
    choices = Choices(leaves, lambda _: True)
    uses = {
        (function, signature.arguments[0].is_number): (name, signature)
        for name, primitive in registry.primitives.items()
        for signature, function in primitive.functions.items()
        if signature.result is not Kind.RANKING
    }
    formulas = [
        as_network(registry.apply(name, *(shallow(kind, choices, rng) for kind in signature.arguments)))
        for name, signature in uses.values()
    ]
    small = {name: case for name, case in cases().items() if name in ("perceptron", "in place")}
    assert compare(formulas, small, tmp_path) > 0.5


def test_published_proxies_score_like_the_proxy(tmp_path: Path) -> None:
    chosen = {name: case for name, case in cases().items() if name in ("nasbench201", "transformer", "perceptron")}
    assert compare([resolve_proxy(name).formula for name in NAMES], chosen, tmp_path) > 0.8


def test_random_formulas_score_like_the_proxy(tmp_path: Path) -> None:
    choices = number_choices(standard_columns())
    rng = Random(1)
    formulas = [choices.generate(Kind.NETWORK, rng, depth=6) for _ in range(60)]
    assert compare(formulas, {"in place": cases()["in place"]}, tmp_path) > 0.3


BLOCK_FORMULAS = (
    "nansum(mean_abs(block@noise)) + mean(std(block@noise)) * slope(mean_abs(grad(block)@noise))",
    "nansum(mean_abs(block@noise) * log(params)) + nanmean(mean_abs(block@noise) - frobenius_norm(output@noise))",
    "trace(layer_sum(sample_hamming(block@noise))) + distinct_patterns(unit_patterns(block@noise))",
    "median(mean_abs(block@ones) - depth) + nansum(relative_depth * std(block@data)) + last(std(block@data))",
    resolve_proxy("az_trainability").formula.text,
    resolve_proxy("az_progressivity").formula.text,
)


@pytest.mark.parametrize("cell", ["chain", "pools", "dead"])
@pytest.mark.parametrize("text", BLOCK_FORMULAS)
def test_blocks_that_a_network_names_count_in_exports_too(
    load: Callable[[Proxy], ModuleType], text: str, cell: str
) -> None:
    operations = {
        "chain": ("nor_conv_3x3", "none", "nor_conv_1x1", "none", "none", "avg_pool_3x3"),
        "pools": ("avg_pool_3x3", "none", "none", "skip_connect", "skip_connect", "none"),
        "dead": ("nor_conv_3x3", "none", "none", "none", "none", "none"),
    }
    torch.manual_seed(0)
    model, inputs = NASBench201Network(to_text(operations[cell]), 4, channels=4, cells=1), torch.randn(6, 3, 8, 8)
    proxy = Proxy(parse(text))
    score = load(proxy).score(model, inputs)
    assert same(score, proxy(model, inputs)) and math.isfinite(score) == (cell != "dead")


CONNECTED_FORMULAS = (
    "path_kernel(mean_abs(output@noise) * units) + bottleneck_path(log(units)) - heaviest_path(std(weight))",
    "sum(log(stage_mean(mean_abs(output@noise)))) + slope(stage_sum(params) / total_params) * body_min(log(units))",
    "max(stage_max(params) - stage_min(params)) / body_sum(params) + body_mean(resolution) / body_max(units) + stages",
    "at_depth(std(output@noise), 0.4) * rising_mean(params) / falling_mean(params) + at_depth(params, narrowest_cut)",
    "nansum(mean_abs(block@noise)) + body_sum(units) + log(weighted_mean(stage_sum(macs), stage_mean(units) * depth))",
    "std(stage_sum(mean_abs(block@noise)))",
)


@pytest.mark.parametrize("text", CONNECTED_FORMULAS)
def test_stages_and_paths_count_in_exports_too(load: Callable[[Proxy], ModuleType], text: str) -> None:
    cells = [("nor_conv_3x3", "nor_conv_1x1", "skip_connect", "avg_pool_3x3", "nor_conv_3x3", "nor_conv_1x1")]
    cells += [("none",) * 6]
    proxy = Proxy(parse(text))
    exported = load(proxy)
    for cell in cells:
        torch.manual_seed(0)
        model, inputs = NASBench201Network(to_text(cell), 4, channels=4, cells=2), torch.randn(6, 3, 8, 8)
        assert same(exported.score(model, inputs), proxy(model, inputs))


def test_model_and_random_state_stay_as_they_were(load: Callable[[Proxy], ModuleType]) -> None:
    model, inputs, _ = cases()["in place"]
    model.train()
    model.get_submodule("norm").eval()
    for parameter in model.get_submodule("first").parameters():
        parameter.requires_grad_(False)
        parameter.grad = torch.ones_like(parameter)
    module = load(Proxy(parse("sum(mean_abs(grad(weight)@ones)) + sum(mean_abs(output@delta))")))

    def state() -> list[object]:
        return [
            [(name, value.tolist()) for name, value in model.state_dict().items()],
            [(item.requires_grad, None if item.grad is None else item.grad.tolist()) for item in model.parameters()],
            [(part.training, len(part._forward_hooks)) for part in model.modules()],
            [inputs.tolist(), inputs.requires_grad],
            torch.get_rng_state().tolist(),
        ]

    before = state()
    assert math.isfinite(module.score(model, inputs))
    assert state() == before
    assert module.score(model, inputs) == module.score(model, inputs)


def test_failing_model_raises_the_files_own_error(load: Callable[[Proxy], ModuleType]) -> None:
    module = load(Proxy(parse("depth")))
    with pytest.raises(module.ModelError, match="no convolution or linear layer"):
        module.score(nn.Flatten(), torch.randn(2, 3))


def test_file_holds_no_more_primitives_than_the_formula_needs() -> None:
    text = export_python(Proxy(parse("sum(mean_abs(grad(weight)@noise))")))
    assert "def mean_abs(" in text and "def frobenius_norm(" not in text and "def layer_sum(" not in text
    assert "numpy" not in text and "from zcproxy" not in text and "@primitive" not in text


def test_head_of_the_file_says_what_it_is() -> None:
    formula = parse("sum(mean_abs(grad(weight)@noise)) * 0.5")
    head = export_python(Proxy(formula, name='a"""b\\c\n', batch_size=7)).split('"""')[1]
    assert head.startswith("a b c: ")
    assert str(formula) in head and "torch.randn(7, " in head and "Probes: noise." in head
