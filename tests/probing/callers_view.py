"""What a caller could notice of a model that was scored with every probe."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from zcproxy import Proxy
from zcproxy.primitives import parse

EVERY_PROBE = Proxy(
    parse(
        "sum(l1_norm(grad(weight)@data)) + sum(l1_norm(activation@noise)) + sum(l1_norm(grad(output)@delta))"
        " + sum(l1_norm(weight@ones * grad(weight)@ones)) + sum(l1_norm(std(grad(weight)@chunks)))"
        " + sum(l1_norm(weight)) + sum(l1_norm(grad(input)@logits)) + log_paths"
        " + sum(l1_norm(features@redrawn_delta)) + sum(l1_norm(grad(output)@redrawn))"
    )
)


def world(model: nn.Module) -> dict[str, object]:
    """Everything about a model and the random generators that a caller could notice."""
    modules = dict(model.named_modules())
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    return {
        "state": {name: value.clone() for name, value in model.state_dict().items()},
        "identity": {
            name: (id(value), value.data_ptr(), value._version, value.stride()) for name, value in tensors.items()
        },
        "modes": {name: module.training for name, module in modules.items()},
        "requires_grad": {name: value.requires_grad for name, value in model.named_parameters()},
        "grad": {name: None if value.grad is None else value.grad.clone() for name, value in model.named_parameters()},
        "hooks": {
            name: [
                len(value) for key, value in sorted(vars(module).items()) if "hooks" in key and isinstance(value, dict)
            ]
            for name, module in modules.items()
        },
        "attributes": {name: sorted(vars(module)) for name, module in modules.items()},
        "torch": torch.get_rng_state(),
        "python": random.getstate(),
        "numpy": np.random.get_state()[1],
        "grad mode": torch.is_grad_enabled(),
        "threads": torch.get_num_threads(),
    }


def equal(first: object, second: object) -> bool:
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(equal(first[key], second[key]) for key in first)
    if isinstance(first, Tensor | np.ndarray):
        return np.array_equal(np.asarray(first), np.asarray(second), equal_nan=True)
    return first == second


def unchanged(model: nn.Module, inputs: Tensor, score: Callable[[], float]) -> float:
    before, pixels = world(model), inputs.clone()
    state = inputs.requires_grad, inputs.grad, inputs._version
    result = score()
    after = world(model)
    assert [key for key in before if not equal(before[key], after[key])] == []
    assert torch.equal(pixels, inputs) and (inputs.requires_grad, inputs.grad, inputs._version) == state
    return result
