"""Smaller copies of a transformer: its first layers, with their first heads and feed-forward units."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from zcproxy.search.transformers.stack import HEADS, SIZES, EncoderLayer, Stack


@dataclass(frozen=True)
class Size:
    """What is left of a transformer.

    Attributes:
        heads: heads of each layer that is left, the first layers of the full model.
        widths: their feed-forward widths.
    """

    heads: tuple[int, ...]
    widths: tuple[int, ...]


def shrunk(model: nn.Module, stack: Stack, size: Size, *, shares: bool = False) -> nn.Module:
    """Return a copy of a model with what a size leaves, its weights the first of the full ones.

    Args:
        model: the full model.
        stack: its encoder layers.
        size: what is left.
        shares: hold the very weights of the model where they are of full size, which is quicker than copies.
    """
    copied = copy.deepcopy(model, {id(each): each for each in model.parameters()} if shares else None)
    layers = copied.get_submodule(stack.name)
    assert isinstance(layers, nn.ModuleList | nn.Sequential)
    del layers[len(size.heads) :]
    for layer, known, heads, width in zip(layers, stack.layers, size.heads, size.widths, strict=False):
        _shrink_heads(layer, known, heads)
        layer.set_submodule(known.first, _first_outputs(layer.get_submodule(known.first), width))
        layer.set_submodule(known.second, _first_inputs(layer.get_submodule(known.second), width))
    return copied


def _shrink_heads(layer: nn.Module, known: EncoderLayer, heads: int) -> None:
    entries = _linear(layer, known.projections[0]).out_features
    kept = entries // known.heads * heads
    for name in known.projections:
        layer.set_submodule(name, _first_outputs(layer.get_submodule(name), kept))
    layer.set_submodule(known.output, _first_inputs(layer.get_submodule(known.output), kept))
    attention = layer.get_submodule(known.attention)
    for names, full, left in ((HEADS, known.heads, heads), (SIZES, entries, kept)):
        for name in names:
            if getattr(attention, name, None) == full:
                setattr(attention, name, left)


def _linear(layer: nn.Module, name: str) -> nn.Linear:
    found = layer.get_submodule(name)
    assert isinstance(found, nn.Linear)
    return found


def _made(inputs: int, outputs: int, like: nn.Linear) -> nn.Linear:
    return nn.Linear(inputs, outputs, like.bias is not None).to(like.weight).train(like.training)


@torch.no_grad()
def _first_outputs(module: nn.Module, kept: int) -> nn.Linear:
    assert isinstance(module, nn.Linear)
    made = _made(module.in_features, kept, module)
    made.weight.copy_(module.weight[:kept])
    if module.bias is not None:
        made.bias.copy_(module.bias[:kept])
    return made


@torch.no_grad()
def _first_inputs(module: nn.Module, kept: int) -> nn.Linear:
    assert isinstance(module, nn.Linear)
    made = _made(kept, module.out_features, module)
    made.weight.copy_(module.weight[:, :kept])
    if module.bias is not None:
        made.bias.copy_(module.bias)
    return made


@torch.no_grad()
def masked(model: nn.Module, stack: Stack, size: Size) -> nn.Module:
    """Return a copy of full width in which what a size leaves out has no effect: its way back is zero.

    It computes what `shrunk` computes, if the stack is what it was taken for.
    """
    copied = copy.deepcopy(model)
    layers = copied.get_submodule(stack.name)
    assert isinstance(layers, nn.ModuleList | nn.Sequential)
    del layers[len(size.heads) :]
    for layer, known, heads, width in zip(layers, stack.layers, size.heads, size.widths, strict=False):
        output = _linear(layer, known.output)
        output.weight[:, output.in_features // known.heads * heads :] = 0
        _linear(layer, known.second).weight[:, width:] = 0
    return copied


@torch.no_grad()
def sort_by_importance(model: nn.Module, stack: Stack) -> None:
    """Put the most important heads and units of each layer first, in place: the model computes the same.

    What a layer adds through a unit is as large as the weights into and out of it: importance is the product of their
    norms. That of a head is the product of the norms of its values' and its output's weights.
    """
    layers = model.get_submodule(stack.name)
    for layer, known in zip(layers.children(), stack.layers, strict=True):
        first, second = _linear(layer, known.first), _linear(layer, known.second)
        units = (first.weight.norm(dim=1) * second.weight.norm(dim=0)).argsort(descending=True, stable=True)
        _reorder([first], second, units)
        query, key, value = (_linear(layer, name) for name in known.projections)
        output = _linear(layer, known.output)
        into = value.weight.reshape(known.heads, -1).norm(dim=1)
        by_head = into * output.weight.reshape(len(output.weight), known.heads, -1).norm(dim=(0, 2))
        entries = torch.arange(output.in_features).reshape(known.heads, -1)
        _reorder([query, key, value], output, entries[by_head.argsort(descending=True, stable=True)].flatten())


def _reorder(into: Sequence[nn.Linear], back: nn.Linear, order: Tensor) -> None:
    for linear in into:
        linear.weight.copy_(linear.weight[order])
        if linear.bias is not None:
            linear.bias.copy_(linear.bias[order])
    back.weight.copy_(back.weight[:, order])
