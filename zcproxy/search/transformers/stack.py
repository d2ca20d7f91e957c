"""Finds the encoder layers of a transformer: six linear maps each, of attention and of the feed-forward part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from torch import nn

from zcproxy.errors import ModelError

PROJECTIONS = (
    ("query", "key", "value"),
    ("q_proj", "k_proj", "v_proj"),
    ("q_lin", "k_lin", "v_lin"),
    ("to_q", "to_k", "to_v"),
    ("q", "k", "v"),
)
"""Names that models give to the linear maps to queries, keys and values."""

HEADS = ("num_attention_heads", "num_heads", "n_heads", "n_head", "nhead", "heads", "_heads")
"""Names that an attention gives to its number of heads."""

SIZES = ("all_head_size", "embed_dim", "inner_dim", "dim")
"""Names that an attention gives to the entries of all its heads."""


@dataclass(frozen=True)
class EncoderLayer:
    """The elastic parts of a layer; names are those of modules inside it.

    Attributes:
        attention: the module that holds the maps to queries, keys and values.
        projections: these three, entries of a token to entries of all heads.
        output: the map back.
        first: the map to the feed-forward width.
        second: the map back.
        heads: number of heads.
        width: feed-forward width.
    """

    attention: str
    projections: tuple[str, str, str]
    output: str
    first: str
    second: str
    heads: int
    width: int


@dataclass(frozen=True)
class Stack:
    """Encoder layers that follow each other.

    Attributes:
        name: of the list of layers in the model.
        layers: its layers, all with the same heads and widths.
    """

    name: str
    layers: tuple[EncoderLayer, ...]

    @property
    def heads(self) -> int:
        """Heads of each layer."""
        return self.layers[0].heads

    @property
    def width(self) -> int:
        """Feed-forward width of each layer."""
        return self.layers[0].width


def find_stack(model: nn.Module) -> Stack:
    """Return the encoder layers of a model without `nn.MultiheadAttention`, see `separate_all`.

    Raises:
        ModelError: it has none, or more than one list of them, or of another structure; the module is named.
    """
    found, reasons = [], []
    for name, layers in _lists(model):
        try:
            found.append(Stack(name, tuple(_recognised(layer, f"{name}.{key}") for key, layer in layers)))
        except ModelError as error:
            reasons.append(error)
    if not found and reasons:
        raise reasons[0]
    kind = type(model).__name__
    if not found:
        raise ModelError(
            f"cannot make the {kind} elastic: none of its module lists holds encoder layers, which have linear maps to "
            "queries, keys and values"
        )
    if len(found) > 1:
        raise ModelError(
            f"cannot make the {kind} elastic: it has encoder layers in '{found[0].name}' and in '{found[1].name}', "
            "expected one list of them"
        )
    if len({(layer.heads, layer.width) for layer in found[0].layers}) > 1:
        raise ModelError(f"cannot make the {kind} elastic: the layers of '{found[0].name}' differ in heads or width")
    return found[0]


def _lists(model: nn.Module) -> Iterator[tuple[str, Sequence[tuple[str, nn.Module]]]]:
    """Yield the lists whose entries have attention, by name: the outermost of those inside each other."""
    within: list[str] = []
    for name, module in model.named_modules():
        entries = list(module.named_children()) if isinstance(module, nn.ModuleList | nn.Sequential) else []
        alike = len({type(entry) for _, entry in entries}) == 1
        if alike and all(map(_has_attention, (entry for _, entry in entries))) and not name.startswith(tuple(within)):
            within.append(f"{name}.")
            yield name, entries


def _has_attention(layer: nn.Module) -> bool:
    """Whether a module has attention in it, of whatever kind."""
    return any("attention" in type(part).__name__.lower() or _projections(part) for part in layer.modules())


def _projections(module: nn.Module) -> tuple[str, str, str] | None:
    children = dict(module.named_children())
    return next((names for names in PROJECTIONS if all(name in children for name in names)), None)


def _recognised(layer: nn.Module, name: str) -> EncoderLayer:
    def unlike(reason: str) -> ModelError:
        return ModelError(f"cannot make the model elastic: '{name}' is a {type(layer).__name__} {reason}")

    attentions = [(path, names) for path, module in layer.named_modules() if (names := _projections(module))]
    if len(attentions) != 1:
        raise unlike(f"with {len(attentions)} attentions of linear maps to queries, keys and values, expected one")
    path, names = attentions[0]
    query, key, value = (f"{path}.{each}".lstrip(".") for each in names)
    linear = {each: module for each, module in layer.named_modules() if isinstance(module, nn.Linear)}
    others = [each for each in linear if each not in (query, key, value)]
    if len(others) != 3 or len(linear) != 6:
        raise unlike(f"with {len(linear)} linear maps, expected 6: queries, keys, values, output, and two feed-forward")
    output, first, second = others
    _check_shapes([linear[each] for each in (query, key, value, output, first, second)], unlike)
    attention = layer.get_submodule(path)
    heads = next((count for each in HEADS if isinstance(count := getattr(attention, each, None), int)), 0)
    if heads < 1 or linear[query].out_features % heads:
        raise unlike(f"whose attention '{path}' has its number of heads under none of {', '.join(HEADS)}")
    return EncoderLayer(path, (query, key, value), output, first, second, heads, linear[first].out_features)


def _check_shapes(linear: Sequence[nn.Linear], unlike: Callable[[str], ModelError]) -> None:
    """Refuse maps that are not three from a token to all heads, one back, one to the feed-forward width, one back."""
    found = [(each.in_features, each.out_features) for each in linear]
    token, entries = found[0]
    width = found[4][1]
    if found != [(token, entries)] * 3 + [(entries, token), (token, width), (width, token)]:
        shapes = ", ".join(f"{inputs} to {outputs}" for inputs, outputs in found)
        raise unlike(f"whose linear maps go {shapes}: expected three alike, one back, one to another width, one back")
