"""AutoFormer: networks against published and computed numbers of parameters, its texts, labels of a user's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
import torch
from torch import Tensor, nn

from zcproxy.benchmarks.autoformer import AutoFormerSpace, VisionTransformer
from zcproxy.benchmarks.autoformer.network import Attention
from zcproxy.benchmarks.autoformer.sizes import SIZES, Choices
from zcproxy.benchmarks.shared.built import BuiltTask
from zcproxy.errors import BenchmarkError, ModelWarning
from zcproxy.names.spaces import get_space
from zcproxy.names.tasks import get_task
from zcproxy.primitives import parse
from zcproxy.proxy.proxy import Proxy
from zcproxy.testing import check_space

Command = Callable[..., tuple[int, str, str]]

IMAGENET, DIGITS = (3, 224, 224), (1, 12, 12)
DIGITS_SPACE = AutoFormerSpace("digits")
RELATIVE_POSITIONS = 2 * 2 * (2 * 14 + 2) * 64
"""Parameters per block of the authors' relative positions, which are left out: rows and columns, of keys and values."""


def blocks(heads: str, ratios: str) -> str:
    return "/".join(f"h{head}r{ratio}" for head, ratio in zip(heads.split(), ratios.split(), strict=True))


PUBLISHED = {
    "small": (
        "w384d13/" + blocks("6 6 5 7 5 5 5 6 6 7 7 6 7", "3.0 3.5 3.0 3.5 4.0 4.0 4.0 4.0 4.0 4.0 4.0 3.5 4.0"),
        22.9,
    ),
    "base": (
        "w576d14/"
        + blocks("9 9 9 9 9 10 9 9 10 9 10 9 9 10", "3.5 3.5 4.0 3.5 4.0 3.5 3.5 3.0 4.0 4.0 3.0 4.0 3.0 3.5"),
        53.7,
    ),
}
"""What the authors' search found (their `AutoFormer-S.yaml`, `AutoFormer-B.yaml`), millions of parameters."""

TINY = "w192d13/" + blocks("3 3 3 3 3 3 3 3 3 3 4 3 3", "3.5 3.5 3.0 3.5 3.0 3.0 4.0 4.0 3.5 4.0 3.5 4.0 3.5")
"""The same of `AutoFormer-T.yaml`. Its ratio of 3 is not among the published options of the tiny super-network."""


def parameters(network: nn.Module) -> int:
    return sum(value.numel() for value in network.parameters())


@pytest.mark.parametrize("size", PUBLISHED)
def test_parameters_are_the_published_ones(size: str) -> None:
    architecture, millions = PUBLISHED[size]
    with torch.device("meta"):
        built = parameters(AutoFormerSpace(size).build(architecture, IMAGENET, 1000))
    assert round((built + architecture.count("/") * RELATIVE_POSITIONS) / 1e6, 1) == millions


def test_the_tiny_one_that_was_found_is_outside_its_own_options() -> None:
    with pytest.raises(BenchmarkError, match=re.escape("MLP ratio 3 is not one of 3.5, 4 (size=tiny)")):
        AutoFormerSpace("tiny").parse(TINY)


def expected_parameters(text: str, choices: Choices, channels: int, side: int, patch: int, classes: int) -> int:
    """Parameters as the configuration gives them."""
    width, depth = map(int, re.findall(r"\d+", text.split("/", maxsplit=1)[0]))
    pixels, places = channels * patch * patch, (side // patch) ** 2 + 1
    total = width * (pixels + 1) + width + width * places + 2 * width + classes * (width + 1)
    found = re.findall(r"h(\d+)r([\d.]+)", text)
    assert len(found) == depth
    for heads, ratio in found:
        attended, inner = int(heads) * choices.head_width, int(float(ratio) * width)
        total += 3 * attended * (width + 1) + width * (attended + 1) + 2 * 2 * width
        total += inner * (width + 1) + width * (inner + 1)
    return total


@pytest.mark.parametrize("size", SIZES)
def test_parameters_follow_from_the_configuration(size: str) -> None:
    space, rng = AutoFormerSpace(size, 4), Random(0)
    for architecture in [space.sample(rng) for _ in range(5)]:
        with torch.device("meta"):
            built = parameters(space.build(architecture, (2, 8, 8), 7))
        assert built == expected_parameters(architecture, SIZES[size], 2, 8, 4, 7), architecture


def test_the_space_conforms() -> None:
    check_space(DIGITS_SPACE, DIGITS, 10, samples=3)
    assert DIGITS_SPACE.size == 3 * (9**2 + 9**3 + 9**4)
    assert AutoFormerSpace().size == 3 * (4**12 + 4**13 + 4**14)
    assert DIGITS_SPACE.parse(" w16d2/h1r1.0/h3r2 ") == "w16d2/h1r1/h3r2"


def test_children_have_the_blocks_of_either_parent() -> None:
    first, second, rng = "w16d2/h1r1/h1r1", "w32d4/h3r3/h3r3/h2r2/h2r2", Random(0)
    children = {DIGITS_SPACE.crossover(first, second, rng) for _ in range(200)}
    assert {child.split("/")[0] for child in children} == {"w16d2", "w16d4", "w32d2", "w32d4"}
    assert {tuple(child.split("/")[3:]) for child in children} == {(), ("h2r2", "h2r2")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is not width and depth, like w192d13"),
        ("w20d2/h1r1/h1r1", "width 20 is not one of 16, 24, 32 (size=digits)"),
        ("w16d5/h1r1/h1r1", "depth 5 is not one of 2, 3, 4"),
        ("w16d3/h1r1/h1r1", "2 blocks follow, the depth is 3"),
        ("w16d2/h4r1/h1r1", "heads 4 is not one of 1, 2, 3"),
        ("w16d2/h1r1/h1r2.5", "MLP ratio 2.5 is not one of 1, 2, 3"),
        ("w16d2/h1r1/h1r", "the block 'h1r' is not heads and MLP ratio, like h3r3.5"),
    ],
)
def test_texts_outside_are_one_line(text: str, message: str) -> None:
    with pytest.raises(BenchmarkError, match="is not an architecture of autoformer") as raised:
        DIGITS_SPACE.parse(text)
    assert message in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize("shape", [(1, 12, 13), (12, 12), (1, 12)])
def test_images_have_whole_patches(shape: tuple[int, ...]) -> None:
    with pytest.raises(BenchmarkError, match="height and width the patch of 3 pixels divides"):
        DIGITS_SPACE.build("w16d2/h1r1/h1r1", shape, 10)


def test_heads_are_as_wide_whatever_the_width_of_tokens() -> None:
    torch.manual_seed(0)
    attention, tokens = Attention(5, 3, 4), torch.randn(2, 7, 5)
    collected = []
    for head in range(3):
        rows = slice(4 * head, 4 * head + 4)
        query, key, value = (
            tokens @ part.weight[rows].T + part.bias[rows] for part in (attention.query, attention.key, attention.value)
        )
        collected.append(torch.softmax(query @ key.mT / 2.0, -1) @ value)
    torch.testing.assert_close(attention(tokens), attention.output(torch.cat(collected, -1)))


def test_logits_are_those_of_the_class_token_at_its_position() -> None:
    torch.manual_seed(1)
    network = DIGITS_SPACE.build("w16d2/h1r1/h2r3", DIGITS, 10)
    assert isinstance(network, VisionTransformer)
    images = torch.randn(2, *DIGITS)
    rows = [
        image[:, top : top + 3, left : left + 3].flatten()
        for image in images
        for top in (0, 3, 6, 9)
        for left in (0, 3, 6, 9)
    ]
    patches = (torch.stack(rows) @ network.patches.weight.flatten(1).T + network.patches.bias).unflatten(0, (2, 16))
    tokens = torch.cat([network.class_token.repeat(2, 1, 1), patches], 1) + network.positions

    def normalised(values: Tensor) -> Tensor:
        return (values - values.mean(-1, keepdim=True)) / (values.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()

    for block in network.blocks:
        tokens = tokens + block.attention[1](normalised(tokens))
        hidden = normalised(tokens) @ block.mlp[1].weight.T + block.mlp[1].bias
        tokens = tokens + block.mlp[3](0.5 * hidden * (1 + torch.erf(hidden / 2**0.5)))
    torch.testing.assert_close(network(images), network.head(normalised(tokens[:, 0])))


def test_formulas_see_attention() -> None:
    torch.manual_seed(0)
    network, images = DIGITS_SPACE.build("w32d3/h1r3/h2r3/h3r3", DIGITS, 10), torch.randn(4, *DIGITS)
    with pytest.warns(ModelWarning, match=r"2\.2% of the parameters .*largest: positions, class_token"):
        assert Proxy(parse("sum(in_attention) + 100 * sum(reads_attention)"))(network, images) == 12 + 100 * 3


def test_weights_begin_as_the_authors_draw_them() -> None:
    torch.manual_seed(0)
    network = AutoFormerSpace("tiny").build(f"w192d12/{'/'.join(['h3r4'] * 12)}", IMAGENET, 1000)
    weights = {
        name: float(value.detach().std()) for name, value in network.named_parameters() if name.endswith("weight")
    }
    linear = {name: found for name, found in weights.items() if found > 0 and not name.startswith("patches")}
    assert len(linear) == 12 * 6 + 1 and all(abs(found - 0.02) < 1e-3 for found in linear.values())


BUILD = ("benchmark", "build", "--space", "autoformer", "--dataset", "digits", "--networks", "2", "--seeds", "1")
SMALL = ("--space-option", "size=digits", "--space-option", "patch=6")
TABLE = ("benchmark", "from-table", "mine.csv", "--space", "autoformer", *SMALL, "--input", "1x12x12", "--out", "mine")


def test_a_benchmark_is_built_and_searched(run: Command) -> None:
    code, _, error = run(*BUILD, *SMALL, "--epochs", "1", "--workers", "1", "--out", "built")
    assert code == 0, error
    task = get_task("built")
    names = task.architectures("all")
    assert [task.space.parse(name) for name in names] == list(names)
    expected = [expected_parameters(name, SIZES["digits"], 1, 12, 6, 10) for name in names]
    assert task.baselines(names)["params"].tolist() == expected
    code, _, error = run(
        *("search", "built", "--proxy", "params", "--minimize", "macs", "--evaluations", "6", "--population", "4"),
        *("--workers", "1", "--out", "found"),
    )
    assert code == 0, error


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["size=huge"], "unknown size of autoformer 'huge': write one of tiny, small, base, digits"),
        (["size=3"], "the option size of autoformer is 3: give a word such as tiny"),
        (["patch=big"], "the option patch of autoformer is 'big': give a whole number from 1 to 4096"),
        (["depth=4"], "autoformer has no option 'depth' (did you mean patch?); it has size, patch"),
        (["size=digits", "patch=5"], "the patch of 5 pixels divides, not (1, 12, 12): its option patch="),
    ],
)
def test_bad_options_are_one_line(run: Command, options: list[str], message: str) -> None:
    given = [word for option in options for word in ("--space-option", option)]
    code, _, error = run(*BUILD, *given, "--out", "built")
    assert (code, len(error.strip().splitlines())) == (2, 1) and message in error


def test_labels_of_a_table_are_those_of_the_space(run: Command, tmp_path: Path) -> None:
    rows = ["w16d2/h1r1/h1r1,20", "w24d2/h1r1/h2r3.0,30", " w32d3/h1r1/h2r3/h3r3,45.5", "w16d2/h2r2/h2r2,25"]
    (tmp_path / "mine.csv").write_text("\n".join(["architecture,accuracy", *rows]))
    code, _, error = run(*TABLE, "--classes", "10")
    assert code == 0 and "--allow-code" not in error, error
    task = get_task("mine")
    names = task.architectures("all")
    assert task.labels(names).tolist() == [20.0, 30.0, 45.5, 25.0] and names[1] == "w24d2/h1r1/h2r3"
    assert task.space.size == DIGITS_SPACE.size
    assert isinstance(task, BuiltTask) and task.shows_noise
    code, out, error = run("table", "mine", "--proxies", "params,zc-general", "--workers", "1")
    assert code == 0 and "zc-general" in out, error


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        (["w16d3/h1r1/h1r1,1", "w16d2/h1r1/h1r1,2"], ["--classes", "10"], "2 blocks follow, the depth is 3"),
        (["w16d2/h1r1/h1r1,1", "w16d2/h1r1/h1r1.0,2"], ["--classes", "10"], "has 'w16d2/h1r1/h1r1' twice"),
        (["w16d2/h1r1/h1r1,1", "w24d2/h1r1/h1r1,2"], [], "give --classes, the logits of the networks of autoformer"),
        (["w16d2/h1r1/h1r1,1"], ["--classes", "10", "--model", "a:b"], "give either --model or --space"),
    ],
)
def test_bad_tables_are_one_line(
    run: Command, tmp_path: Path, rows: list[str], options: list[str], message: str
) -> None:
    (tmp_path / "mine.csv").write_text("\n".join(["architecture,accuracy", *rows]))
    code, _, error = run(*TABLE, *options)
    assert (code, len(error.strip().splitlines())) == (2, 1) and message in error, error


def test_options_reach_the_space() -> None:
    space = get_space("autoformer", {"size": "base", "patch": 32})
    assert isinstance(space, AutoFormerSpace)
    assert (space.patch, space.choices) == (32, SIZES["base"])
