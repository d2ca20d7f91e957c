"""The students of DisWOT: their networks against what follows from their depths, and their published accuracies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from zcproxy.benchmarks.diswot import StudentSpace, resnet110, resnet110_normal
from zcproxy.benchmarks.diswot.tasks import convert
from zcproxy.errors import BenchmarkError
from zcproxy.names.tasks import get_task
from zcproxy.testing import check_space

SPACE = StudentSpace()


def counted(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def expected_parameters(blocks: tuple[int, ...], classes: int) -> int:
    """Parameters as the depths give them: two 3x3 convolutions per block, each with a scale and a shift per channel."""
    total, before = 9 * 3 * 16 + 2 * 16, 16
    for count, channels in zip(blocks, (16, 32, 64), strict=True):
        first = 9 * before * channels + 9 * channels**2 + 4 * channels
        projection = before * channels + 2 * channels if before != channels else 0
        total += first + projection + (count - 1) * (18 * channels**2 + 4 * channels)
        before = channels
    return total + 64 * classes + classes


def test_parameters_of_students_and_of_the_teacher() -> None:
    architectures = list(SPACE.enumerate())
    with torch.device("meta"):
        for architecture in architectures[::7]:  # all are compared with their baselines below
            blocks = tuple(map(int, architecture))
            assert counted(SPACE.build(architecture, (3, 32, 32), 100)) == expected_parameters(blocks, 100)
        assert counted(resnet110()) == expected_parameters((18, 18, 18), 100)
    assert len(architectures) == SPACE.size == 64 and expected_parameters((3, 3, 3), 10) == 272_474  # ResNet-20


def test_multiply_adds_are_those_of_the_network() -> None:
    total = 0

    def count(module: nn.Module, _: object, output: torch.Tensor) -> None:
        nonlocal total
        assert isinstance(module, nn.Conv2d | nn.Linear)
        total += output.shape[1:].numel() * module.weight[0].numel()

    network = SPACE.build("135", (3, 16, 16), 7)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(count)
    assert network(torch.randn(2, 3, 16, 16)).shape == (2, 7)
    assert total == SPACE.macs("135", (3, 16, 16), 7)


def test_the_space_conforms() -> None:
    check_space(SPACE, (3, 8, 8), 5)
    for text in ("", "12", "1357", "2 3 5", "124"):
        with pytest.raises(BenchmarkError, match="is not an architecture of diswot: write 3 digits"):
            SPACE.parse(text)


def test_the_teacher_of_the_authors_has_normal_weights() -> None:
    convolutions = [each for each in resnet110_normal().modules() if isinstance(each, nn.Conv2d)]
    weights = torch.cat([each.weight.detach().flatten() for each in convolutions])
    assert float(weights.mean()) == pytest.approx(0.0, abs=0.01) and float(weights.std()) == pytest.approx(
        1.0, abs=0.01
    )


def test_published_accuracies(real_data: Path) -> None:
    distilled, plain = get_task("diswot/cifar100"), get_task("diswot/cifar100-plain")
    architectures = distilled.architectures("all")
    assert set(architectures) == set(SPACE.enumerate()) and plain.architectures("all") == architectures
    assert distilled.labels(["111", "557"]).tolist() == [61.87, 74.86]
    assert plain.labels(["111", "777"]).tolist() == [60.20, 72.56]
    gains = distilled.labels(architectures) - plain.labels(architectures)
    assert gains.min() > 0.4 and gains.max() < 3.0
    params = distilled.baselines(architectures)["params"]
    assert params.tolist() == [expected_parameters(tuple(map(int, each)), 100) for each in architectures]
    assert not np.array_equal(distilled.labels(architectures), plain.labels(architectures))


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ((b"111 60.2\n", b"113 61.0\n"), "do not list the same networks"),
        ((b"111 60.2\n112 3\n", b""), "s1-gt-cls.txt: line 2 is not a network and its accuracy"),
        ((b"111 60.2\n", b"111 nan\n"), "s1-gt-kd.txt: line 1 is not a network and its accuracy"),
        ((b"111\n", b""), "s1-gt-cls.txt: line 1"),
        ((b"\xff\xfe\n", b""), "s1-gt-cls.txt: line 1"),
    ],
)
def test_other_files_are_one_line(contents: tuple[bytes, bytes], message: str) -> None:
    with pytest.raises(BenchmarkError, match=message) as raised:
        convert(contents)
    assert len(str(raised.value).splitlines()) == 1
