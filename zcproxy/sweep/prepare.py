"""Makes a network and its inputs ready for the probes: a copy that observes well, and its variants of other weights."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from zcproxy.errors import ModelError
from zcproxy.sweep.probes import Pass


def prepared_inputs(inputs: Tensor) -> Tensor:
    """Return inputs that no graph leads to; half precision becomes float32, as it does in the model."""
    if not inputs.is_floating_point():
        raise ModelError(f"inputs are {inputs.dtype}, expected floating-point numbers")
    if inputs.dim() == 0 or inputs.numel() == 0:
        raise ModelError(f"inputs of shape {tuple(inputs.shape)} hold nothing: give at least one sample")
    inputs = inputs.detach().clone()
    return inputs.float() if inputs.dtype.itemsize < 4 else inputs


def prepared(network: nn.Module, inputs: Tensor) -> nn.Module:
    """Return the network as the probes need it; it is changed in place."""
    if isinstance(network, torch.jit.ScriptModule):
        raise ModelError("the model is a TorchScript module, whose layers cannot be observed: give the original module")
    if any(parameter.dtype.itemsize < 4 for parameter in network.parameters() if parameter.is_floating_point()):
        network.float()
    for name, parameter in network.named_parameters():
        if not torch.isfinite(parameter).all():
            raise ModelError(f"parameter {name} holds NaN or infinity: initialise the model first")
    network.eval()
    for module in network.modules():
        module._backward_pre_hooks.clear()  # they would wrap the tensors that layers are linked by
        module._backward_hooks.clear()
    network.requires_grad_(True)
    if inputs.dim() == 4:
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def transformed(network: nn.Module, run: Pass) -> nn.Module:
    """Return a copy of a prepared network with the parameters that a pass has.

    Args:
        network: as `prepared` returns it.
        run: the pass.
    """
    changed = copy.deepcopy(network)
    if run.double:
        changed = changed.double()
    if run.absolute_weights:
        with torch.no_grad():
            for parameter in changed.parameters():
                parameter.abs_()
    return changed
