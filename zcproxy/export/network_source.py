"""Exports a network as one Python file that needs torch alone, and a file with its state."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import torch
from torch import fx, nn

from zcproxy.errors import ModelError
from zcproxy.probing.recorder import reported
from zcproxy.storage.files import replacing, write_text
from zcproxy.text.escaping import docstring

_TEMPLATE = '''"""{title}

Written by zcproxy. Load the state beside it with

    network = Network()
    network.load_state_dict(torch.load("{state}", weights_only=True))
"""

import torch
from torch import nn


class Network(nn.Module):
    """Maps {shape} inputs to logits."""

    def __init__(self) -> None:
        super().__init__()
{modules}

{forward}
'''


def export_network(network: nn.Module, input_shape: tuple[int, ...], title: str, path: Path) -> tuple[Path, Path]:
    """Write the source and the state of a network.

    The network is traced: what is written is the sequence of operations that it performs, whatever made it.

    Args:
        network: on the CPU.
        input_shape: shape of a sample, without the batch.
        title: first line of the file.
        path: path of the Python file; the state goes beside it, with the suffix `.pt`.

    Returns:
        The paths of both files.

    Raises:
        ModelError: the network cannot be traced, or is made of more than operations of torch.
        StorageError: a file cannot be written.
    """
    flat = _flattened(network)
    source = flat.graph.python_code("self")
    used = {node.id for node in ast.walk(ast.parse(source.src)) if isinstance(node, ast.Name)}
    foreign = [name for name in source.globals if name in used and name != "torch"]
    if foreign:
        raise ModelError(f"cannot export the network: it calls '{foreign[0]}', which is not part of torch")
    modules = [f"        self.{name} = {_construction(name, module)}" for name, module in flat.named_children()]
    text = _TEMPLATE.format(
        title=docstring(title),
        state=docstring(path.with_suffix(".pt").name),
        shape=" x ".join(["samples", *map(str, input_shape)]),
        modules="\n".join(modules),
        forward="\n".join(f"    {line}" if line else "" for line in source.src.strip().splitlines()),
    )
    state = path.with_suffix(".pt")
    with replacing(state) as temporary:
        torch.save(flat.state_dict(), temporary)
    write_text(path, text)
    return path, state


def _flattened(network: nn.Module) -> fx.GraphModule:
    """Return the traced network with all its modules at the top level."""
    with reported("the network cannot be exported: it decides by what it computes"):
        graph = fx.Tracer().trace(network.eval())
    modules: dict[str, nn.Module] = {}
    names: dict[str, str] = {}
    for node in graph.nodes:
        node.type = None  # annotations name what the file does not import
        if node.op == "get_attr":
            raise ModelError(
                f"cannot export the network as Python: its weight '{node.target}' belongs to no module of torch.nn; "
                "as ONNX it can be exported"
            )
        if node.op == "call_module":
            target = str(node.target)
            name = "layer_" + re.sub(r"\W", "_", target, flags=re.ASCII)
            while names.setdefault(name, target) != target:
                name += "_"
            modules[name] = network.get_submodule(target)
            node.target = name
    return fx.GraphModule(modules, graph)


def _construction(name: str, module: nn.Module) -> str:
    """Return the call that makes a module like this one: arguments by name, those that differ from their default.

    An older torch then reads what it has no argument for, as long as that is as it was.
    """
    kind = type(module)
    if not kind.__module__.startswith("torch.nn."):
        raise ModelError(f"cannot export the network: '{name}' is a {kind.__name__}, which is not part of torch.nn")
    unknown = ModelError(f"cannot export the network: torch does not say what '{name}', a {kind.__name__}, is made of")
    if isinstance(module, nn.RNNBase):  # its signature names no argument
        raise unknown
    arguments = []
    without = ("self", "device", "dtype", *(["bias"] if not _is_affine(module) else []))
    for parameter, declared in inspect.signature(kind.__init__).parameters.items():
        needed = declared.default is declared.empty and declared.kind is declared.POSITIONAL_OR_KEYWORD
        if needed and parameter not in without and not hasattr(module, parameter):
            raise unknown
        if hasattr(module, parameter) and parameter not in without:
            value = getattr(module, parameter)
            value = value is not None if parameter == "bias" else value
            if not _is_default(value, declared.default):
                arguments.append(f"{parameter}={value!r}")
    return f"nn.{kind.__name__}({', '.join(arguments)})"


def _is_affine(module: nn.Module) -> bool:
    """Whether a normalisation has weights; one that has none has no bias either, whatever `bias` says."""
    return bool(getattr(module, "affine", getattr(module, "elementwise_affine", True)))


def _is_default(value: object, default: object) -> bool:
    """Whether an attribute is what the default of its argument becomes: a number stands for each side of a window too.

    A tuple of equal numbers is what torch makes of one number: of `stride=1`, for example, `(1, 1)`.
    """
    if isinstance(value, tuple) and isinstance(default, int) and not isinstance(default, bool):
        return bool(value) and all(each == default for each in value)
    return type(value) is type(default) and value == default
