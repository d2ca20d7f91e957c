"""Makes a network and its inputs ready for the probes: a copy that observes well, and its variants of other weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zcproxy.errors import ModelError
from zcproxy.probing.copying import copied, uncompiled
from zcproxy.probing.own_loss import OwnLoss
from zcproxy.probing.probes import Pass
from zcproxy.probing.recorder import reported
from zcproxy.probing.tokens import are_tokens


def prepared_inputs(inputs: object) -> Tensor:
    """Return inputs that no graph leads to; half precision becomes float32, as it does in the model.

    Whole numbers of 32 or 64 bits are token ids: see `zcproxy.probing.tokens`.

    Raises:
        ModelError: they are not a dense tensor of floating-point numbers or token ids with at least one sample.
    """
    if not isinstance(inputs, Tensor):
        raise ModelError(
            f"inputs are {_a(inputs)}, expected one tensor of samples x ...: {_WRAPPING.get(type(inputs), _OTHERWISE)}"
        )
    if inputs.is_nested or inputs.layout != torch.strided:
        layout = "nested" if inputs.is_nested else str(inputs.layout).removeprefix("torch.").replace("_", " ")
        raise ModelError(f"inputs are a {layout} tensor, expected a dense one: give inputs.to_dense() or pad them")
    if inputs.is_meta:
        raise ModelError("inputs are on the meta device, where tensors hold no numbers: make them on cpu or cuda")
    if not inputs.is_floating_point() and not are_tokens(inputs):
        raise ModelError(f"inputs are {inputs.dtype}, expected floating-point numbers")
    if inputs.dim() == 0 or inputs.numel() == 0:
        raise ModelError(f"inputs of shape {tuple(inputs.shape)} hold nothing: give at least one sample")
    inputs = inputs.detach().clone()
    return inputs.float() if inputs.dtype.itemsize < 4 else inputs


_WRAPPING: dict[type, str] = {
    dict: "wrap the model so that it takes one",
    list: "wrap the model so that it takes one, or stack them",
    tuple: "wrap the model so that it takes one",
}
_OTHERWISE = "make one with torch.as_tensor"


def _a(value: object) -> str:
    """Return what a value is in words: `a tuple`, `None`."""
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def prepared_targets(targets: object) -> Tensor | OwnLoss | None:
    """Return targets that may be changed. Raises `ModelError` if they are not a dense tensor."""
    if targets is None:
        return None
    if isinstance(targets, OwnLoss):
        prepared = prepared_targets(targets.targets)
        return None if not isinstance(prepared, Tensor) else OwnLoss(targets.function, prepared)
    if not isinstance(targets, Tensor):
        raise ModelError(f"targets are {_a(targets)}, expected a tensor of int64 classes: make one with torch.tensor")
    if targets.is_nested or targets.layout != torch.strided or targets.is_meta:
        raise ModelError("targets are not a dense tensor of int64 classes: give one class for each sample")
    return targets.detach().clone()


def check_model(model: object) -> None:
    """Raise `ModelError` unless the model is a module whose layers can be observed."""
    if not isinstance(model, nn.Module):
        raise ModelError(f"the model is {_a(model)}, expected a torch.nn.Module")
    if any(isinstance(module, torch.jit.ScriptModule) for module in model.modules()):
        raise ModelError("the model is a TorchScript module, whose layers cannot be observed: give the original module")


def own_copy(model: nn.Module, *, disposable: bool) -> nn.Module:
    """Return a network that may be changed: a copy of the model, or itself if it is disposable and fit for it.

    Half precision becomes float32.

    Raises:
        ModelError: it cannot be copied.
    """
    model = uncompiled(model)
    parameters = list(model.parameters())
    is_half = any(parameter.is_floating_point() and parameter.dtype.itemsize < 4 for parameter in parameters)
    if disposable and not is_half and not any(parameter.is_inference() for parameter in parameters):
        return model
    with reported("the model cannot be copied"):
        return copied(model, torch.float32 if is_half else None)


def prepared(network: nn.Module, inputs: Tensor, memory_format: torch.memory_format = torch.channels_last) -> nn.Module:
    """Return the network as the probes need it; it is changed in place.

    Args:
        network: the one to be observed.
        inputs: samples x ...
        memory_format: memory format of the weights, where the inputs are images.

    Raises:
        ModelError: a parameter cannot be measured.
    """
    check_parameters(network)
    devices = {parameter.device for parameter in network.parameters()}
    if devices and inputs.device not in devices:
        device = next(iter(devices))
        raise ModelError(f"the model is on {device}, the inputs are on {inputs.device}: move them to one device")
    network.eval()
    for module in network.modules():
        module._backward_pre_hooks.clear()  # they would wrap the tensors that layers are linked by
        module._backward_hooks.clear()
    for parameter in network.parameters():
        parameter.requires_grad_(parameter.is_floating_point())
    if inputs.dim() == 4:
        network.to(memory_format=memory_format)  # type: ignore[call-overload]
    return network


def check_parameters(network: nn.Module) -> None:
    """Raise `ModelError` for a network with a parameter without numbers that can be measured."""
    for name, parameter in network.named_parameters():
        _check_parameter(name, parameter)


def _check_parameter(name: str, parameter: nn.Parameter) -> None:
    """Raise `ModelError` for a parameter without numbers that can be measured."""
    if isinstance(parameter, nn.parameter.UninitializedParameter):
        raise ModelError(f"parameter {name} has no shape yet: call the model once on its inputs first")
    if parameter.is_meta:
        raise ModelError(f"parameter {name} is on the meta device and holds no numbers: build the model on cpu or cuda")
    if parameter.is_complex():
        raise ModelError(
            f"parameter {name} is {parameter.dtype}, expected real numbers: hold its two parts, and join them "
            "in forward with torch.view_as_complex"
        )
    if parameter.dim() > 1 and parameter.numel() == 0:
        raise ModelError(f"parameter {name} of shape {tuple(parameter.shape)} holds no numbers: leave its layer out")
    if not torch.isfinite(parameter).all():
        raise ModelError(f"parameter {name} holds NaN or infinity: initialise the model first")


def dtype_of(network: nn.Module) -> torch.dtype:
    """Return the dtype of the first parameter of floating-point numbers."""
    return next(parameter.dtype for parameter in network.parameters() if parameter.is_floating_point())


_SINGULAR_VECTORS = ("weight_u", "weight_v", "_u", "_v")
"""Buffers by which both kinds of spectral normalisation divide weights: with signs, absolute weights turn negative."""


def transformed(network: nn.Module, run: Pass) -> nn.Module:
    """Return a copy of a prepared network with the parameters that a pass has.

    Args:
        network: as `prepared` returns it.
        run: the pass.
    """
    changed = copied(network, torch.float64 if run.double else None)
    for name, parameter in changed.named_parameters():
        if parameter.is_floating_point():
            parameter.data = _transformed(name.rpartition(".")[2], parameter.data, run)
    if run.absolute_weights or run.shared_weight is not None:
        for name, buffer in changed.named_buffers():
            if name.rpartition(".")[2] in _SINGULAR_VECTORS:
                buffer.abs_()
    return changed


def _transformed(name: str, values: Tensor, run: Pass) -> Tensor:
    """Return the values that a parameter of this name has in a pass."""
    if run.shared_weight is not None:
        return torch.full_like(values, 0.0 if "bias" in name else run.shared_weight)
    return values.abs() if run.absolute_weights else values
