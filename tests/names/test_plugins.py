"""Plugins: what they add, what they are refused for, and that they leave nothing behind."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import torch
from plugin_files import MINE, no_plugins
from torch import Tensor, nn

import zcproxy
from zcproxy.columns.context import column_key
from zcproxy.columns.own import own_columns
from zcproxy.errors import ConfigurationError, FormulaError, ModelError
from zcproxy.formula import REGISTRY
from zcproxy.names import plugins
from zcproxy.names.plugins import check_recorded, load_plugin, load_recorded, plugin_records, unload
from zcproxy.names.proxies import resolve_proxy
from zcproxy.primitives import parse
from zcproxy.probing.probes import PROBES
from zcproxy.user_code.plugins import loaded_plugins
from zcproxy.workers.jobs import in_order


@pytest.fixture(autouse=True)
def _clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ZCPROXY_CACHE", str(tmp_path / "cache"))
    with no_plugins():
        yield


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., object]:
    """Load a plugin with a text."""

    def loaded(text: str, name: str = "mine.py") -> object:
        (tmp_path / name).write_text(text)
        return load_plugin(tmp_path / name)

    return loaded


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 5))


IMAGES = torch.randn((6, 3, 8, 8), generator=torch.Generator().manual_seed(1))
CLASSES = torch.tensor([0, 1, 2, 3, 4, 0])


def gini_of(values: Tensor) -> float:
    """Return the mean absolute difference of all pairs over twice the mean."""
    sizes = values.detach().abs().flatten().double()
    return float((sizes[:, None] - sizes).abs().mean() / (2 * sizes.mean()))


def test_a_primitive_of_a_file_is_a_word_of_the_language(load: Callable[..., object]) -> None:
    load(MINE)
    model = network()
    expected = sum(gini_of(layer.weight) for layer in model.children() if isinstance(layer, nn.Conv2d | nn.Linear))
    assert resolve_proxy("sum(gini(weight))")(model, IMAGES) == pytest.approx(expected, abs=1e-4)


def test_an_aggregation_of_a_file_sees_the_layers_of_each_network_apart(load: Callable[..., object]) -> None:
    load(MINE)
    model = network()
    norms = [
        float(layer.weight.detach().norm()) for layer in model.children() if isinstance(layer, nn.Conv2d | nn.Linear)
    ]
    found = resolve_proxy("interquartile(frobenius_norm(weight))")(model, IMAGES)
    assert found == pytest.approx(abs(norms[0] - norms[1]) / 2, rel=1e-4)


def test_a_probe_of_a_file_shows_the_network_something_else(load: Callable[..., object]) -> None:
    load(MINE)
    formula = "sum(frobenius_norm(grad(weight)@{}))"
    mirrored, data = (resolve_proxy(formula.format(name)) for name in ("mirrored", "data"))
    model = network()
    assert mirrored(model, IMAGES, CLASSES) == pytest.approx(data(model, IMAGES.flip(-1), CLASSES), rel=1e-5)
    assert mirrored(model, IMAGES, CLASSES) != pytest.approx(data(model, IMAGES, CLASSES), rel=1e-3)


def test_the_content_of_the_file_is_part_of_the_key_of_the_columns_that_use_it(load: Callable[..., object]) -> None:
    other = column_key(parse("frobenius_norm(weight)"))
    load(MINE)
    columns = [parse(text) for text in ("gini(weight)", "mean_abs(output@mirrored)", "frobenius_norm(weight)")]
    before = list(map(column_key, columns))
    load(MINE + "# other\n")
    after = list(map(column_key, columns))
    assert before[2] == after[2] == other
    assert before[0] != after[0] and before[1] != after[1]
    load(MINE)
    assert list(map(column_key, columns)) == before


def test_loading_again_changes_nothing_and_an_edit_replaces_what_was_there(load: Callable[..., object]) -> None:
    first = load(MINE)
    assert load(MINE) is first and len(loaded_plugins()) == 1
    load(MINE.replace("def gini", "def lorenz"))
    assert len(loaded_plugins()) == 1
    assert "gini" not in REGISTRY.primitives and "lorenz" in REGISTRY.primitives


def test_nothing_is_left_of_a_plugin_that_is_unloaded(load: Callable[..., object]) -> None:
    words, leaves, probes = set(REGISTRY.primitives), dict(REGISTRY.leaves), set(PROBES)
    load(MINE)
    assert set(REGISTRY.primitives) - words == {"gini", "interquartile"} and set(PROBES) - probes == {"mirrored"}
    unload(loaded_plugins()[0])
    assert (set(REGISTRY.primitives), REGISTRY.leaves, set(PROBES)) == (words, leaves, probes)
    with pytest.raises(FormulaError, match="unknown primitive 'gini'"):
        parse("sum(gini(weight))")


def value_of(text: str) -> float:
    return resolve_proxy(text)(network(), IMAGES)


def test_worker_processes_have_the_plugin_as_it_was_loaded(load: Callable[..., object], tmp_path: Path) -> None:
    load(MINE)
    (tmp_path / "mine.py").write_text("raise ValueError('changed meanwhile')")
    with ProcessPoolExecutor(1, get_context("spawn")) as executor:
        assert list(in_order(executor, value_of, [("sum(gini(weight))",)])) == [value_of("sum(gini(weight))")]


def test_a_module_that_is_imported_registers_like_one_that_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "users_words.py").write_text(MINE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "users_words", raising=False)
    module = __import__("users_words")
    assert [plugin.file for plugin in loaded_plugins()] == [str(tmp_path / "users_words.py")]
    assert module.gini(torch.tensor([0.0, 0.0, 0.0, 1.0])) == pytest.approx(0.75)
    assert load_plugin(tmp_path / "users_words.py") is loaded_plugins()[0]


def test_a_run_begins_with_the_primitives_on_what_its_probes_record(load: Callable[..., object]) -> None:
    load(MINE)
    texts = set(map(str, own_columns(("noise", "mirrored"))))
    assert {"gini(weight)", "gini(output@noise)", "gini(grad(weight)@mirrored)"} <= texts
    assert "mean_abs(output@mirrored)" in texts and "mean_abs(output@noise)" not in texts
    assert not any("mirrored" in str(column) for column in own_columns(("noise",)))
    for column in own_columns(("noise", "mirrored")):
        assert column.is_column


HEAD = "import torch\nimport numpy as np\nimport zcproxy\n"
REFUSED = {
    "a name that exists": ('@zcproxy.primitive("Weights -> Layer")\ndef std(x): return x.std()', "exists already"),
    "a leaf that exists": ('@zcproxy.primitive("Weights -> Layer")\ndef macs(x): return x.sum()', "exists already"),
    "a probe that exists": ("@zcproxy.probe()\ndef noise(x, generator): return x", "exists already"),
    "a word of the grammar": ('@zcproxy.primitive("Weights -> Layer")\ndef grad(x): return x.sum()', "cannot write"),
    "a name with a sign": (
        '@zcproxy.primitive("Weights -> Layer", name="a-b")\ndef f(x): return x.sum()',
        "cannot write",
    ),
    "writing": ('@zcproxy.primitive("Weights -> Layer")\ndef f(x): return x.mul_(2).sum()', "writes into its argument"),
    "writing through numpy": (
        '@zcproxy.primitive("Weights -> Layer")\ndef f(x):\n    x.numpy()[:] = 1\n    return x.sum()',
        "writes into its argument",
    ),
    "writing into numbers": (
        '@zcproxy.primitive("Layer -> Layer")\ndef f(x):\n    x += 1\n    return x',
        "writes into",
    ),
    "writing into the numbers of a network": (
        '@zcproxy.primitive("Layer -> Network")\ndef f(x):\n    x.sort()\n    return x[0]',
        "writes into its argument",
    ),
    "raising": (
        '@zcproxy.primitive("Weights -> Layer")\ndef f(x):\n    return x.sum() / (1 // 0)',
        "ZeroDivisionError: integer division or modulo by zero (mine.py, line 6)",
    ),
    "another dtype": ('@zcproxy.primitive("Weights -> Layer")\ndef f(x): return x.double().sum()', "keep the dtype"),
    "another shape": ('@zcproxy.primitive("Weights -> Layer")\ndef f(x): return x', "expected 0 dimensions"),
    "numbers of another shape": ('@zcproxy.primitive("Layer -> Layer")\ndef f(x): return x[:1]', "returns shape (1,)"),
    "no number": ('@zcproxy.primitive("Layer -> Network")\ndef f(x): return "a"', "expected numbers"),
    "several numbers": ('@zcproxy.primitive("Layer -> Network")\ndef f(x): return x', "expected one number"),
    "nothing": ('@zcproxy.primitive("Weights -> Layer")\ndef f(x): pass', "returns a NoneType, expected a tensor"),
    "chance": (
        '@zcproxy.primitive("Weights -> Layer")\ndef f(x): return x.sum() * torch.rand(())',
        "not deterministic",
    ),
    "an unknown kind": ('@zcproxy.primitive("Weight -> Layer")\ndef f(x): return x.sum()', "did you mean Weights"),
    "no arrow": ('@zcproxy.primitive("Weights")\ndef f(x): return x.sum()', "write for example Weights -> Layer"),
    "no kinds": ("@zcproxy.primitive\ndef f(x): return x.sum()", "says what it takes and yields"),
    "kinds that nothing joins": (
        '@zcproxy.primitive("Weights -> Network")\ndef f(x): return x.sum()',
        "no place for",
    ),
    "an unknown loss": ('@zcproxy.probe(loss="mse")\ndef f(x, generator): return x', "unknown loss"),
    "no sub-batch": ("@zcproxy.probe(sub_batches=0)\ndef f(x, generator): return x", "give 1 or more"),
    "an error of its own": ("raise KeyError('mine')", "the plugin mine.py failed: KeyError: 'mine' (mine.py, line 4)"),
    "leaving": ("import sys\nsys.exit(3)", "sys.exit(3)"),
    "a syntax error": ("def f(:", "mine.py, line 4"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_plugin_is_refused_in_one_line_and_leaves_nothing(
    case: str, load: Callable[..., object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words, probes = set(REGISTRY.primitives), set(PROBES)
    code, part = REFUSED[case]
    good = '@zcproxy.primitive("Weights -> Layer")\ndef good(x): return x.sum()\n' if "line" not in part else ""
    with pytest.raises(zcproxy.ZcproxyError) as raised:
        load(f"{HEAD}{good}{code}\n")
    message = str(raised.value)
    assert (part in message and "mine.py" in message) or "says what it takes" in message
    assert "\n" not in message and len(message) < 400
    assert (set(REGISTRY.primitives), set(PROBES), loaded_plugins()) == (words, probes, ())


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ("return x.sum() / (1 // (2 - min(x.dim(), 2)))", "primitive 'f' of mine.py failed: ZeroDivisionError"),
        ("return x.sum() if x.dim() < 4 or x.shape[-1] > 1 else x.mul_(2).sum()", ""),
        ("return x.mul_(2).sum() if x.numel() > 100 else x.sum()", "primitive 'f' of mine.py writes into its argument"),
        ("return x if x.numel() > 100 else x.sum()", "expected 0 dimensions for Layer"),
    ],
)
def test_what_breaks_a_law_on_a_network_alone_is_said_in_one_line(
    body: str, part: str, load: Callable[..., object]
) -> None:
    guard = "if x.numel() <= 100: return x.sum()\n    " if "1 //" in body else ""
    load(f'{HEAD}@zcproxy.primitive("Weights -> Layer")\ndef f(x):\n    {guard}{body}\n')
    proxy = resolve_proxy("sum(f(weight))")
    if not part:
        assert np.isfinite(proxy(network(), IMAGES))
        return
    with pytest.raises(ModelError, match=part):
        proxy(network(), IMAGES)


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ("return x.mul_(2)", "writes into its argument"),
        ("return x[:, :1]", "keep all but the number of samples"),
        ("return x.long()", "no tensor of floats"),
        ("return x.missing", "probe 'f' of mine.py failed: AttributeError"),
    ],
)
def test_a_probe_that_fails_is_said_in_one_line_and_the_images_stay(
    body: str, part: str, load: Callable[..., object]
) -> None:
    load(f"{HEAD}@zcproxy.probe()\ndef f(x, generator):\n    {body}\n")
    with pytest.raises(ModelError, match=part):
        resolve_proxy("sum(mean_abs(output@f))")(network(), IMAGES)


def test_a_constant_may_stand_where_a_file_takes_numbers(load: Callable[..., object]) -> None:
    load(f'{HEAD}@zcproxy.primitive("Network -> Network")\ndef twice(x):\n    return np.where(x > 0, 2 * x, x)\n')
    proxy = resolve_proxy("twice(3) + twice(total_params)")
    model = network()
    assert proxy(model, IMAGES) == 6 + 2 * sum(each.numel() for each in model.parameters())


def test_a_definition_without_a_file_is_refused() -> None:
    def own(x: Tensor) -> Tensor:
        return x.sum()

    own.__module__ = "nowhere"
    with pytest.raises(ConfigurationError, match="defined in a file, which workers execute too"):
        zcproxy.primitive("Weights -> Layer")(own)


def test_a_plugin_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot read the plugin .*nothing.py: No such file"):
        load_plugin(tmp_path / "nothing.py")
    with pytest.raises(ConfigurationError, match="unknown plugin 'nothing': give a Python file"):
        load_plugin("nothing")


def test_an_entry_point_of_an_installed_package_is_a_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "site"
    information = folder / "users_plugin-1.0.dist-info"
    information.mkdir(parents=True)
    (folder / "users_plugin.py").write_text(MINE)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: users_plugin\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(f"[{plugins.GROUP}]\nlorenz = users_plugin\n")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "users_plugin", raising=False)
    assert load_plugin("lorenz").file == str(folder / "users_plugin.py")
    assert np.isfinite(resolve_proxy("sum(gini(weight))")(network(), IMAGES))
    monkeypatch.delitem(sys.modules, "users_plugin")


def test_a_record_loads_only_what_the_user_has_loaded_before(
    load: Callable[..., object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(MINE)
    records, place = plugin_records(), tmp_path / "configuration.json"
    unload(loaded_plugins()[0])
    load_recorded(records, place)
    assert plugin_records() == records
    unload(loaded_plugins()[0])
    monkeypatch.setenv("ZCPROXY_CACHE", str(tmp_path / "of another user"))
    with pytest.raises(ConfigurationError, match="nothing of a file is executed; if it is yours, give it"):
        load_recorded(records, place)
    assert loaded_plugins() == ()


def test_a_record_of_a_file_that_changed_or_is_gone_is_refused(load: Callable[..., object], tmp_path: Path) -> None:
    load(MINE)
    records, place = plugin_records(), tmp_path / "configuration.json"
    load(MINE + "# other\n")
    with pytest.raises(ConfigurationError, match=r"mine.py has changed since .*configuration.json was written"):
        check_recorded(records, place)
    unload(loaded_plugins()[0])
    with pytest.raises(ConfigurationError, match=r"mine.py has changed since .*configuration.json was written"):
        load_recorded(records, place)
    os.unlink(tmp_path / "mine.py")
    with pytest.raises(ConfigurationError, match="which is gone: give its new place with --plugin"):
        load_recorded(records, place)
    with pytest.raises(ConfigurationError, match=r"with the plugins mine.py, loaded are none"):
        check_recorded(records, place)
