"""NAS-Bench-BERT: encoders against published counts and direct computations, its labels, and tokens as inputs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.fft
import torch
import torch.nn.functional as F
from torch import nn

from zcproxy.benchmarks.nas_bench_bert import Encoder, EncoderLayer, FlexiBertSpace
from zcproxy.benchmarks.nas_bench_bert.labels import architecture_of, convert
from zcproxy.benchmarks.nas_bench_bert.operations import (
    LinearTransform,
    SelfAttention,
    SpanConvolution,
    cosine_transform,
)
from zcproxy.errors import BenchmarkError
from zcproxy.names.subjects import get_subject
from zcproxy.names.tasks import get_task
from zcproxy.primitives import parse
from zcproxy.proxy.proxy import Proxy
from zcproxy.testing import check_space

SPACE = FlexiBertSpace()
PUBLISHED = {
    "256:wma-4-1024x3.dct-2-512x3.sdp-4-512x3.sdp-4-1024x1": 13_330_176,
    "256:dft-4-1024x3.sdp-2-1024x1.dsc9-4-512x3.dsc5-2-512x1": 11_106_199,
    "128:sdp-4-1024x1.dct-2-1024x1.dsc9-4-512x3.dft-4-512x1": 8_840_082,
    "128:dsc9-4-512x1.dsc5-2-512x1": 5_526_167,
    "128:dft-4-512x3.sdp-4-1024x3": 9_585_920,
    "128:dsc9-4-1024x1.wma-2-512x3": 7_721_874,
    "256:dft-4-512x1.dct-2-1024x1": 5_189_632,
}
"""Numbers of parameters in the authors' BERT_results_activation.csv: all of width 256 and feed-forward width 1024."""


def counted(network: nn.Module) -> int:
    return sum(value.numel() for name, value in network.named_parameters() if not name.startswith("head."))


@pytest.mark.parametrize("architecture", PUBLISHED)
def test_parameters_are_the_published_ones(architecture: str) -> None:
    layers = [replace(layer, feed_forward=1024) for layer in SPACE.decode(architecture).layers]
    with torch.device("meta"):
        assert counted(Encoder(256, layers, 2)) == PUBLISHED[architecture]


def expected_parameters(width: int, layers: tuple[EncoderLayer, ...]) -> int:
    """Parameters as the configuration gives them, the classifier of two logits included."""
    total = (30522 + 512 + 2 + 2) * 128 + (129 * width if width != 128 else 0) + 2 * width + 2
    square, norm = width * (width + 1), 2 * width
    for layer in layers:
        half, kernel = width // 2, int(layer.operation[3:] or 0)
        heads = layer.heads // 2
        convolution = 4 * half * (width + 1) + width * kernel + half * (width + 1) + heads * kernel * (half + 1)
        attention = 3 * square + (width * width if layer.operation == "wma" else 0)
        mixing = square if layer.operation in ("dft", "dct") else (convolution if kernel else attention) + square + norm
        inner, further = layer.feed_forward, layer.feed_forwards - 1
        total += mixing + inner * (width + 1) + further * inner * (inner + 1) + width * (inner + 1) + norm
    return total


def test_parameters_follow_from_the_configuration(real_data: Path) -> None:
    architectures = get_task("nas_bench_bert/glue").architectures("all")
    with torch.device("meta"):
        for architecture in architectures[::25]:
            choice = SPACE.decode(architecture)
            found = sum(value.numel() for value in SPACE.build(architecture, (32,), 2).parameters())
            assert found == expected_parameters(choice.width, choice.layers), architecture


def test_the_space_conforms() -> None:
    check_space(SPACE, (6,), 3, samples=3)
    assert SPACE.size == 2 * (48**2 + 48**4)
    for text, message in {
        "": "write WIDTH:LAYERS with a width of 128 or 256",
        "64:sdp-2-512x1.sdp-2-512x1": "with a width of 128 or 256",
        "128:sdp-2-512x1": "1 layers, expected 2 or 4",
        "128:sdp-2-512x1.sdp-3-512x1": "the layer 'sdp-3-512x1' is not like wma-4-1024x3",
    }.items():
        with pytest.raises(BenchmarkError, match="is not an architecture of nas_bench_bert") as raised:
            SPACE.parse(text)
        assert message in str(raised.value)
    with pytest.raises(BenchmarkError, match=r"take 1 to 512 token ids, not \(3, 8, 8\)"):
        SPACE.build("128:sdp-2-512x1.sdp-2-512x1", (3, 8, 8), 2)


TOKENS = torch.randn(2, 7, 8, generator=torch.Generator().manual_seed(0))


def test_transforms_are_those_of_scipy() -> None:
    heads = TOKENS.unflatten(-1, (2, 4)).transpose(1, 2).double()
    np.testing.assert_allclose(cosine_transform(heads), scipy.fft.dctn(heads.numpy(), axes=(-2, -1)), atol=1e-12)
    for cosine, transform in ((True, scipy.fft.dctn), (False, scipy.fft.fft2)):
        module = LinearTransform(8, 2, cosine=cosine)
        inputs = module.input(TOKENS).detach().unflatten(-1, (2, 4)).transpose(1, 2).numpy()
        expected = np.real(transform(inputs, axes=(-2, -1)))
        found = module(TOKENS).detach().unflatten(-1, (2, 4)).transpose(1, 2)
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_weighted_attention_has_a_matrix_between_queries_and_keys() -> None:
    torch.manual_seed(1)
    module = SelfAttention(8, 2, weighted=True)
    query, key, value = module.query(TOKENS) @ module.weight.weight.T, module.key(TOKENS), module.value(TOKENS)
    for head in (slice(0, 4), slice(4, 8)):
        weights = torch.softmax(query[..., head] @ key[..., head].mT / 2.0, -1)
        torch.testing.assert_close(module(TOKENS)[..., head], weights @ value[..., head])


def test_a_span_convolution_weighs_neighbours_by_the_token() -> None:
    torch.manual_seed(2)
    module = SpanConvolution(8, 4, 5)
    query = module.query(TOKENS)
    spans = module.pointwise(module.depthwise(TOKENS.mT)).mT
    kernels = module.kernels(spans * query).reshape(2, 7, 2, 5).softmax(-1)
    values = F.pad(module.convolved(TOKENS), (0, 0, 2, 2))
    expected = torch.zeros(2, 7, 2, 2)
    for place in range(5):
        expected += kernels[..., place, None] * values[:, place : place + 7].reshape(2, 7, 2, 2)
    found = module(TOKENS)
    torch.testing.assert_close(found[..., 4:], expected.flatten(2))
    key, value = module.key(TOKENS), module.value(TOKENS)
    weights = torch.softmax(query[..., :2] @ key[..., :2].mT / 2**0.5, -1)
    torch.testing.assert_close(found[..., :2], weights @ value[..., :2])


def test_published_scores(real_data: Path) -> None:
    task = get_task("nas_bench_bert/glue")
    architectures = task.architectures("all")
    assert len(architectures) == 491 and task.labels([next(iter(PUBLISHED))]).tolist() == [74.73375]
    labels = task.labels(architectures)
    assert labels.min() == pytest.approx(53.665) and labels.max() == pytest.approx(75.13)
    params = task.baselines(architectures[:3])["params"]
    choices = map(SPACE.decode, architectures[:3])
    assert params.tolist() == [expected_parameters(choice.width, choice.layers) for choice in choices]


def test_minibatches_are_token_ids() -> None:
    batch = get_task("nas_bench_bert/glue").batch(6)
    assert batch.inputs.shape == (6, 32) and batch.inputs.dtype == torch.int64 and batch.inputs.min() >= 1
    assert torch.equal(batch.inputs, get_task("nas_bench_bert/glue").batch(6).inputs)
    subject = get_subject("nas_bench_bert", (5,), 2)
    network = subject.build("128:dft-2-512x1.sdp-2-512x1")
    shown = subject.batch(3)
    assert shown.inputs.dtype == torch.int64 and network(shown.inputs).shape == (3, 2)
    assert Proxy(parse("depth"))(network, shown.inputs) == 10


def entry(**changes: object) -> dict[str, object]:
    kind = {"operation_type": "SA", "operation_parameter": "WMA", "num_operation_heads": 2}
    layer = {**kind, "feed_forward_dimension": 512, "num_feed_forward": 1, **changes}
    overrides = {"hidden_size": 128, "nas_config": {"encoder_layers": [layer, layer]}}
    return {"hparams": {"model_hparam_overrides": overrides}, "scores": {"glue": 60.0}}


def test_encoders_that_were_trained_twice_have_the_mean() -> None:
    again = {**entry(), "scores": {"glue": 61.0}}
    frame = convert([json.dumps([entry(), entry(operation_parameter="SDP"), again]).encode()]).frame
    assert frame["glue"].tolist() == [60.5, 60.0]
    assert frame["arch"].tolist() == [f"128:{name}-2-512x1.{name}-2-512x1" for name in ("wma", "sdp")]
    assert architecture_of(entry(operation_type="DSC", operation_parameter=9)) == "128:dsc9-2-512x1.dsc9-2-512x1"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "BERT_benchmark.json is not a list of encoders"),
        (b"{}", "a dict stands for a list of encoders"),
        (b"[3]", "entry 0 is not an encoder with its scores: a int stands for a dictionary"),
        (json.dumps([entry(), entry(operation_type="DSC", operation_parameter=7)]).encode(), "entry 1"),
        (json.dumps([entry(operation_parameter=["SDP"])]).encode(), "entry 0"),
        (json.dumps([{**entry(), "scores": {"glue": "high"}}]).encode(), "a str stands for a number"),
    ],
)
def test_other_files_are_one_line(content: bytes, message: str) -> None:
    with pytest.raises(BenchmarkError) as raised:
        convert([content])
    assert message in str(raised.value) and len(str(raised.value).splitlines()) == 1
