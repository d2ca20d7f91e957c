"""The torch-function mode that records the layers of a forward pass."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from zcproxy.probing.attention import Attending
from zcproxy.probing.block_end import Place, Step
from zcproxy.probing.by_tensor import ByTensor
from zcproxy.probing.double_precision import layer_result
from zcproxy.probing.expansions import EXPANSIONS, is_sequence, run_recurrent
from zcproxy.probing.layer_call import LayerCall, Slot, slot_of
from zcproxy.probing.operations import (
    ADDED_PRODUCTS,
    FILLED,
    LOOKUPS,
    MATRIX_PRODUCTS,
    NAMED_LAYERS,
    NON_LINEARITIES,
    NORMALISATIONS,
    POOLINGS,
    PRODUCTS,
    REPETITIONS,
    SUMS,
    Function,
    Operation,
    arranged_weight,
    bound,
    matrix_product,
    named_layer,
    writes_in_place,
)
from zcproxy.probing.origins import DATA, GENERATED, Origin, Origins
from zcproxy.probing.other_products import OtherProducts
from zcproxy.probing.replacements import Replacements
from zcproxy.probing.shapes import pools_all_positions, repeats


def _no_view(output: Tensor) -> Tensor:
    """Return a layer's output as a tensor that is not a view of another one, sharing its memory.

    An operation in place on a view (a linear layer yields one for tokens) would rebuild its graph, and the recorded
    place of the gradient would lead nowhere.
    """
    return torch.ops.aten._unsafe_view(output, output.shape) if output._is_view() else output


class Recording(TorchFunctionMode):
    """The layer calls of one forward pass, linked to the operations around them by the tensors between them.

    Results of operations at the places `ends` are kept in `found`.
    """

    def __init__(
        self,
        ends: Collection[Place],
        replacements: Replacements,
        origins: Origins,
        samples: int,
        others: OtherProducts | None,
        caller: Callable[[], str],
    ) -> None:
        super().__init__()
        self._samples = samples
        self._others = others
        self._caller = caller
        self.calls: list[LayerCall] = []
        self.steps: list[Step] = []
        self.poolings: list[int] = []
        self.used: set[str] = set()
        self.gates: set[str] = set()
        self.generated: set[str] = set()
        self._since_layer = 0
        self._ends = ends
        self.found: dict[Place, Slot] = {}
        self._replacements = replacements
        self._origins = origins
        self._source: ByTensor[LayerCall] = ByTensor()
        self._unbiased: ByTensor[LayerCall] = ByTensor()
        self._repeated: ByTensor[Tensor] = ByTensor()
        self._rectified: ByTensor[Slot] = ByTensor()
        self._pooled: ByTensor[Slot] = ByTensor()
        self._attending = Attending()
        self._by_storage: dict[int, list[Slot]] = {}

    def __torch_function__(
        self, function: Function, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        expansion = EXPANSIONS.get(function)
        if expansion is not None:
            with self:
                return expansion(*args, **kwargs)
        calls = len(self.calls)
        origin = self._origins.of_all((*args, *kwargs.values()))
        result = self._performed(function, args, kwargs, origin)
        is_layer = len(self.calls) > calls
        self._note(function, args, result, origin | {GENERATED} if is_layer and origin is not DATA else origin)
        if not is_layer and origin is DATA:
            self._attending.add_operation(function, args, kwargs, result)
        main = result[0] if is_layer and isinstance(result, tuple) else result
        if isinstance(main, Tensor) and (is_layer or (origin is DATA and function not in FILLED)):
            self._add_step(main, is_layer=is_layer)
        return result

    def _note(self, function: Function, args: tuple[Any, ...], result: Any, origin: Origin) -> None:
        """Keep where the result comes from, and what the operation wrote into."""
        self._origins.mark(result, origin)
        if function in REPETITIONS and args and origin is not DATA and repeats(args[0], result):
            self._repeated.set(result, args[0])
        if result is None and args and writes_in_place(function):
            self._origins.mark(args[0], origin)

    def _add_step(self, result: Tensor, *, is_layer: bool) -> None:
        self._since_layer = 0 if is_layer else self._since_layer + 1
        place = len(self.calls), self._since_layer
        self.steps.append(Step(place, result.grad_fn, result.shape))
        if place in self._ends:
            self.found[place] = self._slot(result)

    def _performed(self, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any], origin: Origin) -> Any:
        """Call an operation, keeping what it tells of the layers and of tensors that it overwrites."""
        if function in NAMED_LAYERS:
            operation = named_layer(function, args, kwargs)
            origin = self._origins.of(operation.weight)
            if origin and origin is not DATA:
                return self._layer(operation, function, args, kwargs)
            if origin is DATA:
                self.generated.add(self._caller())
        elif function in MATRIX_PRODUCTS and origin is DATA:
            product = matrix_product(function, args, kwargs, self._is_weight, self._repeated.get)
            if product is not None:
                return self._layer(product, function, args, kwargs)
        elif function in NORMALISATIONS:
            return self._normalisation(function, args, kwargs)
        elif function in LOOKUPS:
            self.used |= self._origins.of_all((*args[1:2], kwargs.get("weight"))) - {GENERATED}
        elif is_sequence(function, args):
            return run_recurrent(function, args, self._replaced_by_recurrent, self._add_recurrent)
        elif function in SUMS and origin is DATA:
            return self._sum(function, args, kwargs)
        elif function in PRODUCTS or function in ADDED_PRODUCTS:
            self._find_gates(args)
        return self._observed(function, args, kwargs, origin)

    def _is_weight(self, tensor: Tensor) -> bool:
        origin = self._origins.of(tensor)
        return bool(origin) and origin is not DATA and GENERATED not in origin

    def _sum(self, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a sum, which may be that of a matrix product and its bias: the layer's result is then the sum."""
        terms = [arg for arg in args if isinstance(arg, Tensor)]
        found = [self._unbiased.get(term) for term in terms]
        call = next((call for call in found if call is not None), None)
        bias = next((term for term, item in zip(terms, found, strict=True) if item is None), None)
        if call is None or bias is None or kwargs or not self._is_bias(bias, call):
            return self._observed(function, args, kwargs, DATA)
        if writes_in_place(function):
            self._save_before_overwriting(terms[0])
        output: Tensor = function(*(self._replacements.bias(arg) if arg is bias else arg for arg in args))
        call.bias, call.slots["output"], call.normalized_by = bias, self._slot(output), len(self.steps)
        self._source.set(output, call)
        self._attending.add_projection(call, output)
        return output

    def _is_bias(self, tensor: Tensor, call: LayerCall) -> bool:
        """Whether a tensor has one number for each output channel of a product."""
        units = call.slots["output"].value.shape[-1:]
        return self._is_weight(tensor) and tensor.shape[-1:] == units and tensor.numel() == tensor.shape[-1]

    def _find_gates(self, args: tuple[Any, ...]) -> None:
        """Note the parameters of a factor that is all zero."""
        factors = [arg for arg in args if isinstance(arg, Tensor)][-2:]
        if len(factors) == 2 and any(self._origins.of(factor) is DATA for factor in factors):
            for factor in factors:
                if self._is_weight(factor) and not factor.any():
                    self.gates.update(self._origins.of(factor))

    def _layer(self, operation: Operation, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self._replacements.replace(len(self.calls), operation)
        args, kwargs = self._replacements.arguments(args, kwargs)
        if writes_in_place(function) and isinstance(args[0], Tensor):
            self._save_before_overwriting(args[0])
        output = _no_view(layer_result(function, args, kwargs))
        self._add_layer(operation, output)
        if function in MATRIX_PRODUCTS and operation.bias is None:
            self._unbiased.set(output, self.calls[-1])
        return output

    def _add_layer(self, operation: Operation, output: Tensor) -> None:
        """Record a layer. Its weight is what stands in for the one that the network gave."""
        origin = self._origins.of(operation.weight)
        self.used |= origin
        call = LayerCall(
            _owner(origin),
            self._replacements.of(operation.weight),
            operation.bias,
            operation.kind,
            operation.groups,
            operation.axes,
            arranged_weight(operation),
            operation=len(self.steps),
            normalized_by=len(self.steps),
        )
        call.slots["input"] = self._slot(operation.data)
        call.slots["output"] = self._slot(output)
        rectified = self._rectified.get(operation.data)
        if rectified is not None:
            call.slots["preactivation"] = rectified
        features = self._pooled.get(operation.data)
        if features is not None:
            call.slots["features"] = features
            self._pooled.set(output, features)
        self._source.set(output, call)
        self._attending.add_layer(call, operation.data, output)
        self.calls.append(call)

    def _replaced_by_recurrent(self, weights: list[Tensor]) -> list[Tensor]:
        """Return what stands in for the weights of a recurrent layer, in the order in which its matrices are layers."""
        matrices = [weight for weight in weights if weight.dim() > 1]
        vectors = [weight for weight in weights if weight.dim() == 1]
        for number, matrix in enumerate(matrices):
            bias = vectors[number] if number < len(vectors) else None
            self._replacements.replace(len(self.calls) + number, Operation(matrix, matrix, bias))
        return [self._replacements.of(weight) for weight in weights]

    def _add_recurrent(self, operation: Operation, output: Tensor) -> Tensor:
        result = _no_view(output)
        self._add_layer(operation, result)
        return result

    def _normalisation(self, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
        given = bound(NORMALISATIONS[function], args, kwargs)
        inputs, scale = given["input"], given.get("weight")
        if scale is not None and not scale.any():
            self.gates.update(self._origins.of(scale))
        for name in ("weight", "bias"):
            if given.get(name) is not None:
                self.used.update(self._origins.of(given[name]))
        before = self._slot(inputs)
        output = _no_view(self._replacements.normalised(function, args, kwargs))
        self._attending.add_normalisation(before, inputs, output)
        source = self._source.get(inputs)
        if source is not None and "normalized" not in source.slots:
            source.slots["normalized"] = self._slot(output)
            source.normalized_by = len(self.steps)
            self._source.set(output, source)
        features = self._pooled.get(inputs)
        if features is not None:
            self._pooled.set(output, features)
        return output

    def _observed(self, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any], origin: Origin) -> Any:
        """Call an operation that is neither a layer nor a normalisation."""
        subject = args[0] if args else kwargs.get("input")
        if not isinstance(subject, Tensor):
            return self._called(function, args, kwargs, origin)
        overwrites = writes_in_place(function) or bool(kwargs.get("inplace"))
        features = self._pooled_from((*args, *kwargs.values()))
        if function in NON_LINEARITIES:
            result = self._call_non_linearity(function, subject, args, kwargs, overwrites)
        else:
            if overwrites:
                self._save_before_overwriting(subject)
            result = self._called(function, args, kwargs, origin)
        if features is None and function in POOLINGS and pools_all_positions(subject, result, self._samples):
            features = self._slot(subject)
            self.poolings.append(len(self.steps))
        if features is not None and isinstance(result, Tensor):
            self._pooled.set(result, features)
        return result

    def _called(self, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any], origin: Origin) -> Any:
        with nullcontext() if self._others is None else self._others.counting(function, origin):
            return function(*args, **kwargs)

    def _pooled_from(self, arguments: Iterable[Any]) -> Slot | None:
        """Return what all tensors among the arguments of an operation were pooled from, or None."""
        found = [self._pooled.get(value) for value in arguments if isinstance(value, Tensor)]
        return found[0] if all(slot is found[0] for slot in found) else None

    def _call_non_linearity(
        self,
        function: Function,
        subject: Tensor,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        overwrites: bool,
    ) -> Any:
        before = self._slot(subject)
        source = self._source.get(subject)
        if overwrites:
            self._save_before_overwriting(subject)
        result = function(*args, **kwargs)
        if source is not None and "activation" not in source.slots:
            source.slots["activation"] = self._slot(result)
        self._rectified.set(result, before)
        return result

    def _slot(self, tensor: Tensor) -> Slot:
        slot = slot_of(tensor)
        self._by_storage.setdefault(tensor.untyped_storage().data_ptr(), []).append(slot)
        return slot

    def _save_before_overwriting(self, tensor: Tensor) -> None:
        for slot in self._by_storage.pop(tensor.untyped_storage().data_ptr(), []):
            slot.value = slot.value.clone()


def _owner(origin: Origin) -> str:
    """Return the path of the module that holds the first of some parameters."""
    first = min(origin - {GENERATED}, default="")
    name = first.partition(".parametrizations")[0]
    return name if name != first else name.rpartition(".")[0]
