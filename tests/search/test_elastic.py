"""Transformers made elastic: what they compute, what is refused, and what training and searching make of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest
import torch
from torch import Tensor, nn

from zcproxy.benchmarks.datasets import load_dataset
from zcproxy.contracts.dataset import ImageDataset
from zcproxy.errors import ConfigurationError, ModelError
from zcproxy.models.costs import count_costs
from zcproxy.names.spaces import get_space
from zcproxy.search import ElasticTransformer, SearchConfiguration, Setting, elastic, search
from zcproxy.search.transformers.attention import SeparateAttention, separate_all, separated
from zcproxy.testing import check_space


def digits(samples: int = 96) -> ImageDataset:
    whole = load_dataset("digits")
    return replace(whole, train_inputs=whole.train_inputs[:samples], train_targets=whole.train_targets[:samples])


def bright_rows() -> ImageDataset:
    """Return images whose class is the row that is bright, which any transformer learns in a few steps."""
    generator = torch.Generator().manual_seed(0)
    targets = torch.arange(600) % 10
    inputs = 0.3 * torch.randn(600, 1, 12, 12, generator=generator)
    inputs[torch.arange(600), 0, targets] += 2.0
    return ImageDataset("rows", inputs[:400], targets[:400], inputs[400:], targets[400:], 10)


def of_torch(**arguments: object) -> nn.Module:
    """Return a transformer of torch that takes the rows of an image for tokens."""
    settings = {"dropout": 0.0, "batch_first": True, **arguments}
    layer = nn.TransformerEncoderLayer(12, 4, 24, **settings)  # type: ignore[arg-type]
    encoder = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)
    return nn.Sequential(nn.Flatten(1, 2), encoder, nn.Flatten(), nn.Linear(144, 10))


class BertAttention(nn.Module):
    """Attention as that of BERT: the heads' entries under a name of their own, and the map back elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(12, 12) for _ in range(3))
        self.num_attention_heads, self.all_head_size = 4, 12

    def forward(self, tokens: Tensor) -> Tensor:
        parts = (part(tokens).view(*tokens.shape[:2], self.num_attention_heads, -1) for part in self.children())
        query, key, value = (part.transpose(1, 2) for part in parts)
        context = (query @ key.mT / query.shape[-1] ** 0.5).softmax(-1) @ value
        return context.transpose(1, 2).reshape(*tokens.shape[:2], self.all_head_size)


class BertLayer(nn.Module):
    def __init__(self, attention: type[BertAttention] = BertAttention) -> None:
        super().__init__()
        self.attention = nn.ModuleDict({"self": attention(), "output": nn.Linear(12, 12)})
        self.intermediate, self.output, self.norm = nn.Linear(12, 24), nn.Linear(24, 12), nn.LayerNorm(12)

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = self.norm(tokens + self.attention["output"](self.attention["self"](tokens)))
        outputs: Tensor = tokens + self.output(self.intermediate(tokens).relu())
        return outputs


@dataclass
class Output:
    logits: Tensor


class Bert(nn.Module):
    """Returns an object, takes the rows of an image for tokens, and has position embeddings of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.randn(12, 12))
        self.layer = nn.ModuleList(BertLayer() for _ in range(3))
        self.head = nn.Linear(144, 10)

    def forward(self, images: Tensor) -> Output:
        tokens = images.flatten(1, 2) + self.positions
        for layer in self.layer:
            tokens = layer(tokens)
        return Output(self.head(tokens.flatten(1)))


def vision_transformer() -> nn.Module:
    return get_space("digits_vit").build("patch=3 width=8 heads=4 depth=3 ratio=2", (1, 12, 12), 10)


LARGEST = {"depth": 3} | {f"heads{place}": 4 for place in (1, 2, 3)}


@pytest.mark.parametrize("make", [of_torch, Bert, vision_transformer])
def test_the_largest_sub_network_computes_what_the_model_computes(make: Callable[[], nn.Module]) -> None:
    model = make().eval()
    found = elastic(model, digits(), epochs=0)
    widths = {name: options[-1] for name, options in found.choices.items() if name.startswith("width")}
    choice = {**LARGEST, **widths}
    network = found.sub_network(choice)
    found.inherit(network, choice)
    inputs = digits().train_inputs[:5]
    expected = model(inputs)
    if make is not vision_transformer:  # which measures the moments of its normalisation anew
        torch.testing.assert_close(network.eval()(inputs), getattr(expected, "logits", expected), rtol=1e-4, atol=1e-5)
    assert count_costs(network, found.input_shape).params == sum(each.numel() for each in model.parameters())
    check_space(found, found.input_shape, found.classes, samples=2)


def test_a_sub_network_has_what_its_text_says() -> None:
    found = elastic(of_torch(), digits(), epochs=0)
    costs = [
        count_costs(found.build(text), found.input_shape)
        for text in (
            "depth=3 heads1=4 width1=24 heads2=4 width2=24 heads3=4 width3=24",
            "depth=2 heads1=3 width1=24 heads2=4 width2=6 heads3=4 width3=24",
        )
    ]
    layer = 4 * (12 * 12 + 12) + 12 * 24 + 24 + 24 * 12 + 12 + 4 * 12
    fewer_heads, fewer_units = 3 * 3 * (12 + 1) + 3 * 12, 18 * (12 + 1) + 18 * 12
    assert costs[0].params == 3 * layer + 1450
    assert costs[1].params == 2 * layer + 1450 - fewer_heads - fewer_units


def test_no_two_texts_stand_for_one_sub_network() -> None:
    found = elastic(of_torch(), digits(), epochs=0)
    text = found.parse("depth=2 heads1=3 width1=24 heads2=4 width2=6 heads3=4 width3=24")
    assert text == "depth=2 heads1=3 width1=24 heads2=4 width2=6 heads3=2 width3=6"
    layer = len(found.choices["heads1"]) * len(found.choices["width1"])
    neighbours = found.neighbours(text)
    assert len(neighbours) == (2 + 3 + 2 + 3) + layer
    assert found.choices["depth"] == (2, 3) and len(found.neighbours(neighbours[-1])) == 3 * (2 + 3) + 1
    listed = list(found.enumerate())
    assert len(set(listed)) == len(listed) == found.size == layer**2 + layer**3
    children = [found.crossover(neighbours[0], neighbours[-1], Random(seed)) for seed in range(8)]
    assert {*neighbours, *children} <= {*listed}


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_separate_attention_computes_what_torch_computes_with_masks(batch_first: bool, bias: bool) -> None:
    attention = nn.MultiheadAttention(8, 2, bias=bias, batch_first=batch_first).eval()
    own = separated(attention, "a").eval()
    tokens = torch.randn(3, 5, 8) if batch_first else torch.randn(5, 3, 8)
    padding = torch.tensor([[False] * 5, [False] * 4 + [True], [False, True, False, True, False]])
    causal = nn.Transformer.generate_square_subsequent_mask(5)
    for masks in ({}, {"key_padding_mask": padding}, {"attn_mask": causal}, {"attn_mask": causal.isinf()}):
        (found, weights), (expected, _) = (
            own(tokens, tokens, tokens, **masks),
            attention(tokens, tokens, tokens, **masks),
        )
        torch.testing.assert_close(found, expected)
        assert weights is None
    with pytest.raises(ModelError, match=r"a mask of queries x keys, not one of shape \(6, 5, 5\)"):
        own(tokens, tokens, tokens, attn_mask=causal.repeat(6, 1, 1))


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_padding_masks_reach_the_layers_of_an_encoder() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 2).eval()
    tokens, padding = torch.randn(2, 4, 8), torch.tensor([[False] * 4, [False, False, True, True]])
    with torch.no_grad():
        expected = encoder(tokens, src_key_padding_mask=padding)
        separate_all(encoder)
        found = encoder(tokens, src_key_padding_mask=padding)
    assert isinstance(encoder.layers[0].self_attn, SeparateAttention)
    torch.testing.assert_close(found[~padding], expected[~padding])


@pytest.fixture(scope="module")
def tuned() -> ElasticTransformer:
    torch.manual_seed(0)
    return elastic(of_torch(), bright_rows(), epochs=8, batch_size=50, learning_rate=1e-2)


def test_fine_tuning_trains_the_smallest_too_and_repeats(tuned: ElasticTransformer, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = of_torch()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    untouched = elastic(model, bright_rows(), epochs=0)
    smallest = {name: options[0] for name, options in tuned.choices.items()}
    accuracies = []
    for made in (untouched, tuned):
        network = made.sub_network(smallest)
        made.inherit(network, smallest)
        accuracies.append(made.validate(network))
    assert accuracies[0] < 30.0 and accuracies[1] > 80.0
    again = elastic(model, bright_rows(), epochs=8, batch_size=50, learning_rate=1e-2)
    assert all(torch.equal(value, tuned.weights[name]) for name, value in again.weights.items())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    tuned.save(tmp_path / "weights.pt")
    untouched.load(tmp_path / "weights.pt")
    assert all(torch.equal(value, tuned.weights[name]) for name, value in untouched.weights.items())
    smaller = elastic(of_torch(bias=False), digits(), epochs=0)
    with pytest.raises(ModelError, match=r"weights\.pt: the weight '.*bias' does not fit elastic"):
        smaller.load(tmp_path / "weights.pt")


def test_a_search_finds_a_front(tuned: ElasticTransformer, tmp_path: Path) -> None:
    configuration = SearchConfiguration(Setting("elastic"), ("accuracy",), ("macs",), evaluations=12, population=4)
    found = search(configuration, tmp_path / "run", subject=tuned)
    assert len(found.front) >= 1 and found.table["accuracy"].between(0.0, 100.0).all()


class Doubling(BertAttention):
    """Its heads do not act apart: the sub-network is not what the full model is without heads."""

    def forward(self, tokens: Tensor) -> Tensor:
        return super().forward(tokens) * self.num_attention_heads


class Wide(Bert):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.ModuleList(BertLayer(Doubling) for _ in range(2))


class Decoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerDecoderLayer(12, 4, 24, batch_first=True)
        self.decoder, self.head = nn.TransformerDecoder(layer, 2), nn.Linear(144, 10)

    def forward(self, images: Tensor) -> Tensor:
        tokens = images.flatten(1, 2)
        logits: Tensor = self.head(self.decoder(tokens, tokens).flatten(1))
        return logits


class Gated(Bert):
    def __init__(self) -> None:
        super().__init__()
        for layer in self.layer:
            layer.gate = nn.Linear(12, 24)


def without_attention() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(144, 10))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (without_attention, "^cannot make the Sequential elastic: none of its module lists holds encoder layers"),
        (Decoder, r"'decoder\.layers\.0' is a TransformerDecoderLayer with 2 attentions"),
        (Gated, r"'layer\.0' is a BertLayer with 7 linear maps, expected 6"),
        (Wide, "'layer', 2 BertLayer, computes something else than attention and a feed-forward part"),
        (lambda: nn.Sequential(nn.Flatten(), nn.Linear(144, 3)), r"logits of shape \(64, 3\), expected \(64, 10\)"),
        (lambda: nn.LSTM(12, 3), "the model failed on input of shape"),
        (lambda: nn.LSTM, "the model is a type, expected a torch.nn.Module"),
    ],
)
def test_a_model_that_cannot_be_made_elastic_is_named(make: Callable[[], nn.Module], message: str) -> None:
    with pytest.raises(ModelError, match=message) as found:
        elastic(make(), digits(), epochs=0)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"heads": 4}, "heads=4: give all options in a list"),
        ({"heads": (1, 2)}, r"heads=\[1, 2\]: give numbers from 1 to 4, and 4 among them"),
        ({"depths": (0, 3)}, r"depths=\[0, 3\]: give numbers from 1 to 3"),
        ({"epochs": -1}, "epochs=-1 and batch_size=64: give 0 or more"),
        ({"learning_rate": float("nan")}, "learning_rate=nan"),
        ({"batch_size": 97}, "batch_size=97 is more than the 96 training images of digits"),
    ],
)
def test_options_out_of_range_are_named(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        elastic(of_torch(), digits(), **arguments)  # type: ignore[arg-type]
