"""What formulas read of a second network, against hooks on it."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from zcproxy.errors import ConfigurationError, FormulaError
from zcproxy.export.proxy_source import export_python
from zcproxy.names.proxies import resolve_proxy
from zcproxy.primitives import parse
from zcproxy.probing.beside import aligned
from zcproxy.probing.measure import measure
from zcproxy.probing.teacher import Teacher

CLASSES = 5


def network(widths: tuple[int, ...], seed: int, image_channels: int = 3) -> nn.Module:
    """Convolutions with normalisation and ReLU, then a classifier behind global pooling."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers: list[nn.Module] = []
        for before, width in zip((image_channels, *widths), widths, strict=False):
            layers += [nn.Conv2d(before, width, 3, padding=1, stride=2), nn.BatchNorm2d(width), nn.ReLU()]
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], CLASSES)).double()


STUDENT, TEACHER = (4, 6), (3, 5, 7, 6)


@pytest.fixture
def shown() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(7)
    return torch.randn(8, 3, 16, 16, generator=generator, dtype=torch.float64), torch.arange(8) % CLASSES


def pooled_and_gradient(model: nn.Module, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return the maps before global pooling and the gradient of the classifier, of a copy."""
    own = copy.deepcopy(model).train()
    maps: list[Tensor] = []
    assert isinstance(own, nn.Sequential)
    own[-3].register_forward_pre_hook(lambda _, given: maps.append(given[0].detach()))
    functional.cross_entropy(own(inputs), targets).backward()
    gradient = own[-1].weight.grad
    assert isinstance(gradient, Tensor)
    return maps[0].flatten(1), gradient


def direct(student: nn.Module, teacher: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """DisWOT by its definition: distances of unit rows, of samples and, class by class, of channels."""
    (maps, gradient), (their_maps, their_gradient) = (
        pooled_and_gradient(model, inputs, targets) for model in (student, teacher)
    )
    relations = [functional.normalize(each @ each.T, dim=1) for each in (maps, their_maps)]
    relation = (relations[0] - relations[1]).square().sum() / len(inputs) ** 2
    semantic = 0.0
    for row, theirs in zip(gradient, their_gradient, strict=True):
        grams = [functional.normalize(torch.outer(each, each), dim=1) for each in (row, theirs)]
        semantic += float((grams[0] - grams[1]).square().sum()) / gradient.numel()
    return -semantic - float(relation)


def test_diswot_equals_a_direct_computation(shown: tuple[Tensor, Tensor]) -> None:
    student, teacher = network(STUDENT, 0), network(TEACHER, 1)
    expected = direct(student, teacher, *shown)
    assert resolve_proxy("diswot")(student, *shown, teacher=teacher) == pytest.approx(expected, rel=1e-9)
    assert resolve_proxy("diswot")(student, *shown, teacher=network(TEACHER, 2)) != pytest.approx(expected, rel=1e-3)


def test_a_network_is_its_own_best_teacher(shown: tuple[Tensor, Tensor]) -> None:
    student = network(STUDENT, 0)
    assert resolve_proxy("diswot")(student, *shown, teacher=student) == pytest.approx(0.0, abs=1e-12)


def test_layers_of_the_same_relative_depth_stand_beside_each_other(shown: tuple[Tensor, Tensor]) -> None:
    student, teacher = network(STUDENT, 0), network(TEACHER, 1)
    column = parse("frobenius_norm(output@teacher)")
    found = measure(student, *shown, [column], beside=Teacher(teacher)).values[column]
    own = parse("frobenius_norm(output@data)")
    theirs = measure(teacher, *shown, [own]).values[own]
    assert found == pytest.approx(theirs[[0, 2, 4]])
    places = [{"place": torch.tensor(index)} for index in range(9)]
    assert [int(each["place"]) for each in aligned(places, 3)] == [0, 4, 8]
    assert [int(each["place"]) for each in aligned(places, 1)] == [8]


def test_noise_is_that_of_the_students(shown: tuple[Tensor, Tensor]) -> None:
    student = network(STUDENT, 0)
    first, second = parse("frobenius_norm(output@noise)"), parse("frobenius_norm(output@teacher_noise)")
    found = measure(student, *shown, [first, second], input_seed=3, beside=Teacher(student)).values
    assert found[first].tolist() == found[second].tolist()


def test_students_that_are_shown_the_same_cost_one_pass_of_the_teacher(shown: tuple[Tensor, Tensor]) -> None:
    passes = 0
    teacher = network(TEACHER, 1).eval()

    class Counted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = teacher

        def forward(self, inputs: Tensor) -> Tensor:
            nonlocal passes
            passes += 1
            return self.inner(inputs)

    taught, columns = Teacher(Counted()), resolve_proxy("diswot").formula.columns()
    before = copy.deepcopy(teacher.state_dict())
    measure(network(STUDENT, 0), *shown, columns, beside=taught)
    once = passes
    measure(network((4, 4, 6), 5), *shown, columns, beside=taught)
    assert passes == once > 0
    measure(network(STUDENT, 0), shown[0] + 1.0, shown[1], columns, beside=taught)
    assert passes == 2 * once
    assert not teacher.training and all(parameter.grad is None for parameter in teacher.parameters())
    assert all(torch.equal(value, before[name]) for name, value in teacher.state_dict().items())


def test_the_digest_is_of_code_and_weights() -> None:
    first, same, other = (Teacher(network(TEACHER, seed)).digest for seed in (1, 1, 2))
    changed = network(TEACHER, 1)
    with torch.no_grad():
        next(changed.parameters()).view(-1)[0] += 1e-9
    assert first == same and len({first, other, Teacher(changed).digest}) == 3


@pytest.mark.parametrize(
    ("teacher", "message"),
    [
        (None, "'diswot' needs a teacher: give `teacher`"),
        (
            lambda: network(TEACHER, 1, image_channels=1),
            r"the teacher the given module cannot be measured on the inputs of the networks, 3x16x16: the model failed "
            r"on input of shape \(2, 3, 16, 16\): .*; give one that takes these",
        ),
        (nn.Flatten, "3x16x16: .*; give one that takes these"),
    ],
)
def test_a_bad_teacher_is_one_line(
    teacher: Callable[[], nn.Module] | None, message: str, shown: tuple[Tensor, Tensor]
) -> None:
    given = None if teacher is None else teacher()
    with pytest.raises(ConfigurationError, match=message) as raised:
        resolve_proxy("diswot")(network(STUDENT, 0), *shown, teacher=given)
    assert len(str(raised.value).splitlines()) == 1


def test_classifiers_of_other_shapes_have_no_distance(shown: tuple[Tensor, Tensor]) -> None:
    score = resolve_proxy("diswot")(network(STUDENT, 0), *shown, teacher=network((4, 8), 1))
    assert math.isnan(score)


def test_a_file_of_its_own_has_no_teacher() -> None:
    with pytest.raises(FormulaError, match="'diswot' reads a teacher, which a file of its own has not"):
        export_python(resolve_proxy("diswot"))
