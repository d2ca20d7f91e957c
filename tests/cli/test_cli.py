"""The command line: what works, and one clear line with exit code 2 for what cannot."""

from __future__ import annotations

import csv
import json
import math
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from made_tables import made_table

from zcproxy.benchmarks.nasbench201 import NASBench201Space
from zcproxy.benchmarks.nasbench201.labels import TABLE
from zcproxy.cli.evolve import parse_duration
from zcproxy.errors import ConfigurationError
from zcproxy.names.families import embedded_families
from zcproxy.primitives import parse
from zcproxy.proxy.proxy import Proxy

Command = Callable[..., tuple[int, str, str]]
TASK = "digits201"
PUBLISHED = "nasbench201/cifar10"

MODELS = """
import torch
from torch import nn

def small():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 5))

def pair():
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Conv2d(3, 4, 3)
        def forward(self, x):
            return None, "text"
    return Pair()

def weightless():
    return nn.Sequential(nn.ReLU(), nn.Flatten())

def broken():
    raise RuntimeError("no such file\\nas weights.pt")

def nan():
    model = small()
    with torch.no_grad():
        model[0].weight.fill_(float("nan"))
    return model

number = 3
"""


@pytest.fixture
def proxy_file(tmp_path: Path) -> Path:
    path = tmp_path / "proxy.json"
    Proxy(parse("sum(log(frobenius_norm(grad(weight)@noise)))"), name="mine", batch_size=4).save(path)
    return path


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "users_models.py").write_text(MODELS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "users_models", raising=False)


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def refused(result: tuple[int, str, str], *parts: str) -> None:
    code, out, err = result
    assert code == 2
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert err.startswith("zcproxy: ")
    for part in parts:
        assert part in err


def test_score_writes_the_columns_people_script_against(run: Command, tmp_path: Path) -> None:
    code, out, _ = run("score", "params", TASK, "--networks", "12", "--workers", "1", "--out", "scores.csv")
    assert code == 0
    rows = rows_of(tmp_path / "scores.csv")
    assert list(rows[0]) == ["arch", "score", "label", "seconds"]
    assert len(rows) == 12
    assert all(float(row["score"]) > 0 and 0 <= float(row["label"]) <= 100 for row in rows)
    assert all(float(row["seconds"]) > 0 for row in rows)
    assert "convolutions" in out


def test_a_sum_of_ranks_scores_the_networks_of_a_task(run: Command, tmp_path: Path) -> None:
    words = ("--networks", "12", "--workers", "1", "--out", "scores.csv")
    code, out, _ = run("score", "size=ranks(total_params, sum(log(macs)))", "digits201", *words)
    scores = [float(row["score"]) for row in rows_of(tmp_path / "scores.csv")]
    assert code == 0 and "size" in out
    assert len(scores) == 12 and 0 < min(scores) <= max(scores) <= 2
    refused(run("score", "az_nas", "--model", "m:small", "--input", "3x8x8"), "'az_nas' sums ranks", "zcproxy table")
    refused(run("proxy", "export", "az_nas"), "'az_nas' sums ranks")


def test_score_draws_all_networks_or_spreads_them_over_their_cost(run: Command, tmp_path: Path) -> None:
    assert "all 500" in run("score", "params", "digits201")[1]
    words = ("--networks", "20", "--sampling", "stratified", "--out", "scores.csv")
    code, out, _ = run("score", "params", "digits201", *words)
    assert (code, "20 of all 500, stratified by FLOPs, seed 0" in out, len(rows_of(tmp_path / "scores.csv"))) == (
        0,
        True,
        20,
    )
    refused(run("score", "params", "digits201", "--sampling", "stratify"), "did you mean stratified")


def test_known_columns_cost_nothing(run: Command, tmp_path: Path, proxy_file: Path) -> None:
    for name in ("first.csv", "second.csv"):
        assert run("score", str(proxy_file), TASK, "--networks", "4", "--workers", "1", "--out", name)[0] == 0
    first, second = (rows_of(tmp_path / name) for name in ("first.csv", "second.csv"))
    assert [row["score"] for row in first] == [row["score"] for row in second]
    assert all(float(row["seconds"]) == 0 for row in second)
    code, shown, _ = run("columns", "info")
    assert code == 0
    assert TASK in shown
    assert run("columns", "clear")[0] == 0
    assert not (tmp_path / "cache" / "columns").exists()


def test_evolve_writes_beside_its_task_and_seed_if_no_folder_is_named(run: Command, tmp_path: Path) -> None:
    small = ("--networks", "16", "--test-networks", "4", "--generations", "1", "--probes", "noise", "--batch-size", "4")
    assert run("evolve", TASK, "--seed", "5", "--workers", "1", *small)[0] == 0
    assert (tmp_path / "runs" / "digits201-5" / "best.json").exists()


def test_evolve_without_a_task_shows_the_embedded_benchmark_beside_its_controls(run: Command, tmp_path: Path) -> None:
    small = ("--networks", "40", "--test-networks", "30", "--generations", "2", "--probes", "noise", "--workers", "1")
    code, out, _ = run("evolve", *small, "--compare", "synflow, naswot", "--control")
    assert code == 0
    folder = tmp_path / "runs" / "digits201-0"
    rows = rows_of(folder / "correlations.csv")
    trained = ["additive model", "random forest"]
    names = ["best formula", "random formulas", *trained, "synflow", "naswot", "params", "flops", "convolutions"]
    assert [row["proxy"] for row in rows] == names
    assert {row["networks"] for row in rows} == {"30"}
    assert len({row["population"] for row in rows}) == 1
    for row in rows:
        assert f"{row['proxy']} " in out
        assert float(row["tau_low"]) < float(row["tau"]) < float(row["tau_high"])
        assert f"{float(row['tau']):.3f} [" in out
    assert "noise ceiling" in out
    best, control = (json.loads((path / "best.json").read_text()) for path in (folder, folder / "control"))
    assert out.splitlines()[0] == best["formula"]
    assert control["provenance"]["configuration"]["algorithm"] == "random"
    assert control["provenance"]["evaluations"] >= best["provenance"]["evaluations"]
    assert control["correlations"][0]["tau"] == pytest.approx(float(rows[1]["tau"]))


def test_evolve_tests_a_family_that_it_holds_out(made_data: Path, run: Command, tmp_path: Path) -> None:
    small = ("--networks", "16", "--test-networks", "4", "--generations", "1", "--probes", "noise", "--batch-size", "4")
    code, out, _ = run("evolve", "digits201", "nats_sss/cifar10", "--hold-out", "nats_sss", *small, "--workers", "1")
    assert code == 0
    rows = rows_of(tmp_path / "runs" / "without-nats_sss-0" / "correlations.csv")
    tested = {row["task"]: row["population"] for row in rows if row["proxy"] == "best formula"}
    names = [f"nats_sss/{data}" for data in ("cifar10", "cifar100", "imagenet16-120")]
    assert tested == dict.fromkeys(names, "4 held out of all")
    assert "nats_sss/cifar100, 4 held out of all" in out


def test_evolve_learns_from_all_embedded_families_without_any_data(run: Command, tmp_path: Path) -> None:
    small = ("--networks", "16", "--test-networks", "6", "--generations", "3", "--probes", "noise", "--batch-size", "4")
    code, out, err = run("evolve", "--families", "embedded", *small, "--workers", "1")
    assert code == 0, err
    folder = tmp_path / "runs" / "embedded-0"
    rows = [row for row in rows_of(folder / "correlations.csv") if row["proxy"] == "best formula"]
    tested = {row["task"]: float(row["tau"]) for row in rows}
    assert list(tested) == embedded_families()
    assert all(math.isfinite(tau) for tau in tested.values())
    best = json.loads((folder / "best.json").read_text())
    assert (best["formula"], best["provenance"]["generations"]) == (out.splitlines()[0], 3)


def test_score_one_model(run: Command, proxy_file: Path, models: None) -> None:
    arguments = ("score", str(proxy_file), "--model", "users_models:small", "--input", "3x8x8")
    code, out, _ = run(*arguments)
    assert code == 0
    assert float(out) == float(run(*arguments)[1])


def test_what_ranks_if_no_proxy_is_named(run: Command, models: None) -> None:
    code, out, _ = run("score", "digits201", "--networks", "6", "--workers", "1")
    assert code == 0 and "zc-general" in out
    model = ("--model", "users_models:small", "--input", "3x8x8")
    assert run("score", *model)[1] == run("score", "zc-general", *model)[1]


def test_show_and_export(run: Command, proxy_file: Path, tmp_path: Path) -> None:
    code, out, err = run("proxy", "show", str(proxy_file))
    assert code == 0
    assert out.strip() == "sum(log(frobenius_norm(grad(weight)@noise)))"
    assert "noise" in err
    assert run("proxy", "export", str(proxy_file), "--out", "single.py")[0] == 0
    exported = run("proxy", "export", str(proxy_file))[1]
    assert (tmp_path / "single.py").read_text() == exported
    assert "def score(" in exported
    assert run("proxy", "export", "snip", "--format", "latex")[1].startswith(r"\sum_{\ell} \left\langle")
    refused(
        run("proxy", "export", "snip", "--format", "tex"),
        "unknown format 'tex' (did you mean latex?): write one of python, latex",
    )


def test_a_correlation_that_is_undefined_is_shown_as_such(run: Command, tmp_path: Path) -> None:
    item = {"task": "digits201", "population": "3 of all 500", "tau": math.nan}
    Proxy(parse("total_params"), correlations=(item,)).save(tmp_path / "undefined.json")
    code, _, err = run("proxy", "show", "undefined.json")
    assert code == 0
    assert "undefined on 3 of all 500" in err


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["score", "params", "nasbench201/cifar11"], ["unknown task 'nasbench201/cifar11'", "nasbench201/cifar10"]),
        (["score", "params", "nasbench202/cifar10"], ["nasbench202", "nasbench201/cifar10"]),
        (["score", "naswt", TASK], ["did you mean naswot"]),
        (["score", "nothing.json", TASK], ["cannot read the proxy file nothing.json"]),
        (["score", "sum(frobenius_nrm(weight))", TASK], ["unknown primitive 'frobenius_nrm'", "frobenius_norm"]),
        (["score", "sum(frobenius_norm(weight)", TASK], ["expected ')'", "position 27"]),
        (["score", "sum(weight@noise)", TASK], ["of kind Layer", "aggregate it"]),
        (["score", "logdet(params)", TASK], ["does not take (Layer)"]),
        (["score", "(" * 10000 + "depth" + ")" * 10000, TASK], ["nested deeper than 100"]),
        (["score", "params"], ["name a task"]),
        (["score"], ["name a task"]),
        (["score", "digits202"], ["unknown task 'digits202'", "did you mean digits201"]),
        (["score", "params", TASK, "--networks", "20000"], ["20000 networks asked for", "has 500"]),
        (
            ["score", "params", TASK, "--population", "some"],
            ["unknown population of digits201 'some'", "write one of all, pruned"],
        ),
        (["evolve", TASK, "--out", "x", "--budget", "soon"], ["cannot read the duration 'soon'", "15m"]),
        (["evolve", TASK, "--out", "x", "--probes", "noise,light"], ["unknown probe 'light'"]),
        (["evolve", TASK, "--out", "x", "--networks", "3"], ["too few"]),
        (["evolve", "--resume", "nowhere"], ["nowhere is not a run directory"]),
        (["evolve", TASK, "--resume", "nowhere"], ["leave the tasks out"]),
        (["evolve", "--compare", "naswt"], ["did you mean naswot"]),
        (["evolve", "--hold-out", "digits201", "digits201"], ["all tasks are held out"]),
        (["evolve", "--families", "embeded"], ["unknown family 'embeded'", "did you mean embedded"]),
        (["evolve", "digits201", "--families", "embedded"], ["the task 'digits201' is named twice"]),
        (["evolve", "--hold-out", "nats_ss"], ["unknown task 'nats_ss'", "did you mean"]),
        (["evolve", "nasbench101"], ["the family nasbench101, which is set aside", "confirm with --use-set-aside"]),
        (["evolve", "--hold-out", "nds-vanilla", "digits201"], ["nds/vanilla-lr-wd-imagenet", "family nds-vanilla"]),
        (["evolve", "--cases", "tau"], ["unknown case 'tau': write one of bands, top, partial"]),
    ],
)
def test_bad_arguments(run: Command, tmp_path: Path, arguments: list[str], parts: list[str]) -> None:
    refused(run(*arguments), *parts)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("{", ["does not hold valid JSON"]),
        ("[" * 100000, ["does not hold valid JSON"]),
        ('{"name": "x"}', ["no text under 'formula'"]),
        ('{"formula": "depth"}', ["no format version"]),
        ('{"formula": "depth", "format": 99}', ["format 99", "upgrade zcproxy"]),
        ('{"formula": "dept", "format": 1}', ["unknown name 'dept'", "depth"]),
        ('{"formula": "depth +", "format": 1}', ["position 8"]),
        ('{"formula": "params", "format": 1}', ["of kind Layer"]),
        (json.dumps({"formula": "abs(" * 10000 + "depth" + ")" * 10000, "format": 1}), ["nested deeper"]),
        ('{"formula": "depth", "format": 1, "probes": {"light": {}}}', ["probe 'light'"]),
        ('{"formula": "depth", "format": 1, "probes": {"noise": {}}}', ["differently"]),
        ('{"formula": "depth", "format": 1, "probes": [1]}', ["'probes'"]),
        ('{"formula": "depth", "format": 1, "batch_size": "many"}', ["'batch_size'"]),
        ('{"formula": "__import__(1)", "format": 1}', ["unknown primitive '__import__'"]),
    ],
)
def test_bad_proxy_files(run: Command, tmp_path: Path, content: str, parts: list[str]) -> None:
    (tmp_path / "bad.json").write_text(content)
    refused(run("proxy", "show", "bad.json"), "bad.json", *parts)


@pytest.mark.parametrize(
    ("model", "shape", "parts"),
    [
        ("users_models:small", "3x7x7", ["failed on input of shape"]),
        ("users_models:small", "3by8", ["cannot read the input shape '3by8'"]),
        ("users_models:pair", "3x8x8", ["returns tuple of 0 (NoneType), 1 (str)"]),
        ("users_models:weightless", "3x8x8", ["no convolution or linear layer"]),
        ("users_models:broken", "3x8x8", ["'users_models:broken' failed: no such file as weights.pt"]),
        ("users_models:nan", "3x8x8", ["parameter 0.weight holds NaN"]),
        ("users_models:number", "3x8x8", ["'users_models:number'"]),
        ("users_models:large", "3x8x8", ["has no 'large'"]),
        ("users_modules:small", "3x8x8", ["cannot import 'users_modules'"]),
        ("users_models", "3x8x8", ["write package.module:name"]),
    ],
)
def test_bad_models(run: Command, proxy_file: Path, models: None, model: str, shape: str, parts: list[str]) -> None:
    refused(run("score", str(proxy_file), "--model", model, "--input", shape), *parts)


def test_bad_data_directories(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZCPROXY_DATA", str(tmp_path / "missing"))
    refused(run("score", "params", PUBLISHED), "missing", "ZCPROXY_DATA")
    data = tmp_path / "data"
    (data / "nasbench201").mkdir(parents=True)
    monkeypatch.setenv("ZCPROXY_DATA", str(data))
    refused(run("score", "params", PUBLISHED), "has no nasbench201/nasbench201.parquet")
    (data / "nasbench201" / "nasbench201.parquet").write_bytes(bytes(100_000))
    refused(run("score", "params", PUBLISHED), "nasbench201.parquet is truncated or changed: 100000 bytes")
    made_table(TABLE, NASBench201Space(), 50).to_parquet(data / "nasbench201" / "nasbench201.parquet")
    refused(run("evolve", PUBLISHED, "--out", "x"), "nasbench201.parquet is truncated or changed")
    assert not (tmp_path / "x").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files by RLIMIT_FSIZE")
def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    program = shutil.which("zcproxy", path=str(Path(sys.executable).parent))
    assert program is not None
    out, cache = tmp_path / "scores.csv", tmp_path / "cache"
    out.write_text("mine\n")
    finished = subprocess.run(
        [program, "score", "params", TASK, "--networks", "4", "--workers", "1", "--out", str(out)],
        env={
            "ZCPROXY_CACHE": str(cache),
            "COLUMNS": "300",
            "PYTHONDONTWRITEBYTECODE": "1",  # the limit would cut the interpreter's own cache files short
        },
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500)),
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert finished.returncode == 2, finished.stderr
    assert "cannot write" in finished.stderr.splitlines()[-1]
    assert out.read_text() == "mine\n"
    assert not list(tmp_path.rglob("*.partial"))


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("1.5h", 5400), ("1h30m", 5400)])
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "15", "m", "15 m", "-5m", "5m!"])
def test_durations_that_are_none(text: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot read the duration"):
        parse_duration(text)


def test_a_model_of_token_ids_that_returns_a_mapping(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "users_encoders.py").write_text(ENCODER)
    monkeypatch.syspath_prepend(str(tmp_path))
    call = ("score", "sum(numel(output@noise))", "--model", "users_encoders:encoder", "--input", "5")
    code, out, err = run(*call, "--output", "score")
    assert (code, float(out)) == (0, 8 * 5 * 6 + 8 * 3) and "random ones of 40" in err.replace("\n", " ")
    code, _, err = run(*call)
    text = " ".join(err.split())
    assert code == 2 and "returns dict of hidden (float32, 2x6), score (float32, 2x3): name the one to take" in text
    refused(run("score", "depth", "digits201", "--output", "score"), "--output score without --model")


ENCODER = """
from torch import nn

class Encoder(nn.Module):
    vocabulary = 40

    def __init__(self):
        super().__init__()
        self.words, self.layer, self.head = nn.Embedding(40, 4), nn.Linear(4, 6), nn.Linear(6, 3)

    def forward(self, ids):
        hidden = self.layer(self.words(ids)).mean(1)
        return {"hidden": hidden, "score": self.head(hidden)}

encoder = Encoder
"""
