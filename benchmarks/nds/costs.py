"""The cost of a network as the authors of NDS counted it, to compare with the published figure."""

from __future__ import annotations

import math

from torch import nn

from zcproxy.benchmarks.nds.cells import CellNetwork
from zcproxy.models.costs import Call, calls_of


def published_flops(network: nn.Module, image_size: int) -> int:
    """Return the `flops` of an NDS entry for one image of this height and width.

    Convolutions and the classifier count their multiply-adds, the classifier its bias too. Beside them, cell networks
    count the kernel of a pooling for every output, the inputs of the global pooling and the outputs of ReLUs; chain
    networks count five operations for every output of a batch normalisation. The authors state neither rule: both are
    read off the files, where they hold for every entry.
    """
    count = _cell_operations if isinstance(network, CellNetwork) else _chain_operations
    return sum(_products(call) + count(call) for call in calls_of(network, (3, image_size, image_size)))


def _products(call: Call) -> int:
    match call.module:
        case nn.Conv2d():
            return call.module.weight.numel() * _positions(call.module, call.inputs)
        case nn.Linear():
            return call.module.weight.numel() + call.module.out_features
        case _:
            return 0


def _positions(convolution: nn.Conv2d, inputs: tuple[int, ...]) -> int:
    """Return the positions of a kernel as the authors counted them, who took a dilated one for a dense one."""
    paddings = (int(padding) for padding in convolution.padding)
    sides = zip(inputs[1:], convolution.kernel_size, paddings, convolution.stride, strict=True)
    return math.prod((size + 2 * padding - kernel) // stride + 1 for size, kernel, padding, stride in sides)


def _cell_operations(call: Call) -> int:
    match call.module:
        case nn.AvgPool2d() | nn.MaxPool2d():
            kernel = call.module.kernel_size
            return math.prod(call.outputs) * (kernel**2 if isinstance(kernel, int) else math.prod(kernel))
        case nn.AdaptiveAvgPool2d():
            return math.prod(call.inputs)
        case nn.ReLU():
            return math.prod(call.outputs)
        case _:
            return 0


def _chain_operations(call: Call) -> int:
    return 5 * math.prod(call.outputs) if isinstance(call.module, nn.BatchNorm2d) else 0
