"""The commands `zcproxy search` and `zcproxy network export` as a user meets them."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest
import torch

from zcproxy.search.quantities.latency import Latency

Run = Callable[..., tuple[int, str, str]]


def test_a_search_of_a_benchmark_and_its_export(run: Run, tmp_path: Path) -> None:
    options = ["--evaluations", "24", "--population", "8", "--workers", "1", "--out", "found"]
    code, shown, error = run("search", "digits201", "--proxy", "sum(log(params))", "--minimize", "macs", *options)
    assert code == 0, error
    assert "Pareto front" in shown
    assert list(pd.read_parquet("found/evaluations.parquet")) == ["arch", "proxy", "macs", "seconds"]
    code, _, shown = run("network", "export", "found", "--out", "best.py")
    assert code == 0, shown
    assert "class Network" in Path("best.py").read_text()
    assert Path("best.pt").exists()
    code, _, shown = run("search", "--resume", "found", "--workers", "1")
    assert code == 0, shown
    if all(find_spec(name) for name in ("onnx", "onnxscript", "onnxruntime")):
        code, _, shown = run("network", "export", "found", "--format", "onnx")
        assert code == 0 and "written: network.onnx (onnxruntime gives" in shown, shown
    else:
        code, _, shown = run("network", "export", "found", "--format", "onnx")
        assert code == 2 and "pip install 'zcproxy[onnx]'" in shown, shown
    assert Path("network.onnx").exists() == (code == 0)


def test_bit_widths_are_searched_exported_and_resumed(run: Run, tmp_path: Path) -> None:
    options = ["--quantize", "2,3", "--quantize-per", "block", "--asymmetric-weights"]
    code, _, error = run(
        *[
            "search",
            "digits201",
            "--proxy",
            "0 - sum(log(frobenius_norm(output@quantised)))",
            "--minimize",
            "model_size_mb",
        ],
        *[*options, "--evaluations", "6", "--population", "4", "--workers", "1", "--out", "rounded"],
    )
    assert code == 0, error
    table = pd.read_parquet("rounded/evaluations.parquet")
    assert table["arch"].str.contains(" / bits=").all() and table["proxy"].nunique() > 1
    code, _, shown = run("network", "export", "rounded", "--out", "rounded.py")
    assert code == 0, shown
    assert "rounded to their bits" in shown
    state = torch.load("rounded.pt", weights_only=True)
    channels = [channel for weight in state.values() if weight.dim() == 4 for channel in weight]
    assert max(len(channel.unique()) for channel in channels) <= 2**3
    code, _, shown = run("search", "--resume", "rounded", "--workers", "1")
    assert code == 0, shown


def test_a_space_needs_the_shape_of_its_input(run: Run) -> None:
    code, _, shown = run("search", "ofa_resnet50", "--evaluations", "4", "--population", "4")
    assert code == 2
    assert "give --input" in shown
    code, _, shown = run(
        *["search", "nats_sss", "--input", "3x16x16", "--proxy", "total_params", "--minimize", "macs,peak_memory_mb"],
        *["--evaluations", "8", "--population", "4", "--out", "sizes", "--workers", "1"],
    )
    assert code == 0, shown
    assert list(pd.read_parquet("sizes/evaluations.parquet"))[1:-1] == ["proxy", "macs", "peak_memory_mb"]


def test_a_space_takes_its_options(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    begin = ["search", "nats_sss", "--input", "3x8x8", "--proxy", "total_params", "--minimize", "macs"]
    small = ["--evaluations", "4", "--population", "4", "--workers", "1"]
    code, _, shown = run(
        "search", "autoformer", "--space-option", "size=digits", "--input", "1x12x12", *begin[4:], *small
    )
    assert code == 0, shown
    assert caplog.text.count("parameters of two or more dimensions are in no layer") == 1
    found = pd.read_csv("runs/search-autoformer-0/front.csv")
    assert found["arch"].str.match(r"w(16|24|32)d").all()
    assert run("search", "--resume", "runs/search-autoformer-0", "--evaluations", "6", "--workers", "1")[0] == 0
    for words, message in {
        (*begin, "--space-option", "size=2"): "nats_sss has no option 'size'",
        ("search", "digits201", "--space-option", "size=2"): "digits201 is not a space without a dataset: leave out",
        ("search", "elastic_digits", "--space-option", "size=2"): "elastic_digits is not a space without a dataset",
    }.items():
        code, _, shown = run(*words, *small)
        assert code == 2 and message in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["search"], "nothing to search"),
        (["search", "nasbench"], "unknown task, space or super-network 'nasbench'"),
        (["search", "digits201", "--limit", "macs"], "write for example macs=300M"),
        (["search", "digits201", "--algorithm", "nsga"], "did you mean nsga2"),
        (["search", "digits201", "--proxy", "synflo"], "synflow"),
        (["search", "digits201", "--minimize", "latency_ms:phone", "--proxy", "total_params"], "nothing measures"),
        (["search", "--resume", "nowhere"], "holds no search"),
        (
            ["search", "digits201", "--quantize", "4,1"],
            "--quantize 1: torch's fake quantisation computes with 2 to 16 bits",
        ),
        (["search", "digits201", "--quantize", "four"], "--quantize four: write bit widths separated by commas"),
        (
            ["search", "digits201", "--activation-bits", "4"],
            "--activation-bits is of quantised networks: give --quantize",
        ),
        (["network", "export", "nowhere"], "holds no search"),
        (["network", "export", "nowhere", "--weights", "trained"], "unknown weights 'trained'"),
        (["network", "export", "nowhere", "--format", "onx"], "unknown format 'onx' (did you mean onnx?)"),
        (["search", "digits201", "--reuse", "nowhere"], "nowhere holds no search"),
        (["search", "elastic_digits", "--shared-weights", "nowhere.pt"], "cannot read the weights nowhere.pt"),
        (
            ["search", "digits201", "--shared-weights", "nowhere.pt"],
            "is not a super-network: leave out --shared-weights",
        ),
    ],
)
def test_bad_input_is_one_line(run: Run, arguments: list[str], message: str) -> None:
    code, _, shown = run(*arguments)
    assert code == 2
    assert message in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize(("spread", "unsteady"), [(0.5, 6), (0.05, 0)])
def test_latencies_that_vary_are_said_to(
    run: Run, monkeypatch: pytest.MonkeyPatch, spread: float, unsteady: int
) -> None:
    monkeypatch.setattr(
        "zcproxy.search.quantities.networks.measure_latency", lambda *_, **__: Latency(1.0, spread=spread, runs=20)
    )
    options = ["--evaluations", "6", "--population", "4", "--workers", "2", "--out", "timed"]
    code, _, shown = run("search", "digits201", "--proxy", "total_params", "--minimize", "latency_ms", *options)
    assert code == 0, shown
    line = f"the latency of {unsteady} of 6 architectures varied by more than 10% between runs: close other programs"
    assert (line in shown) == (unsteady > 0), shown
    assert ("varied by more than" in shown) == (unsteady > 0)
