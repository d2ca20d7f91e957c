"""Records what flows through the layers of any module during one forward and backward pass.

A layer is a call of torch that applies a weight to data: a convolution, a linear map, a product with a matrix, a
recurrent layer; whatever module or function makes it. A torch-function mode sees these calls and all others, so that
functional non-linearities and normalisations are seen and a tensor that an in-place operation is about to overwrite is
copied first. What follows a layer is found by the identity of tensors and their version, so that a tensor that was
overwritten counts as another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial

from torch import Tensor, nn
from torch.nn.utils.parametrize import cached
from torch.overrides import TorchFunctionMode

from zcproxy.errors import ModelError, ZcproxyError
from zcproxy.models.device import is_memory_error
from zcproxy.probing.block_end import BlockEnd, Step, with_blocks
from zcproxy.probing.callers import calling_module
from zcproxy.probing.isolation import fitting_defaults
from zcproxy.probing.layer_call import LayerCall
from zcproxy.probing.origins import DATA, Origins
from zcproxy.probing.other_products import OtherProducts
from zcproxy.probing.outputs import tensor_of
from zcproxy.probing.recording import Recording
from zcproxy.probing.replacements import Replacements
from zcproxy.probing.replaying import Replaying
from zcproxy.text.visible import shortened

MODEL_FAILURES = (Exception,)
"""Exceptions that a user's code may raise, which is anything; reported as `ModelError` in one line."""


class Recorder:
    """Observes a module: `run` records the layer calls of one forward pass.

    Args:
        model: the module to observe; it is not changed.
        ends: where the blocks of the network end, see `Structure.ends`.
        replacements: what stands in for weights and normalisations; None for batch statistics alone.
        counts: whether to count the multiply-adds of what is not a layer.
        watch: sees the operations of the model as it calls them, before they are recorded.

    Attributes:
        blocks: the entry of each block among layer calls in the last run.
        steps: the operations on data of the last run, in order.
        poolings: those of them that pool all positions, by their index.
        used: names of the parameters that layers and normalisations of the last run hold.
        gates: names of the parameters of scales that were zero in the last run.
        generated: modules that called a layer with a weight computed from data in the last run.
        others: the multiply-adds of the last run that are not a layer's, where they are counted.
    """

    def __init__(
        self,
        model: nn.Module,
        ends: Sequence[BlockEnd] = (),
        replacements: Replacements | None = None,
        *,
        counts: bool = False,
        watch: TorchFunctionMode | None = None,
    ) -> None:
        self._model = model
        self._counts = counts
        self._watch = watch
        self._ends = ends
        self._places = {end.place for end in ends}
        self._replacements = replacements or Replacements()
        self._origins = Origins(model)
        self.blocks: list[LayerCall] = []
        self.steps: list[Step] = []
        self.poolings: list[int] = []
        self.used: set[str] = set()
        self.gates: set[str] = set()
        self.generated: set[str] = set()
        self.others = OtherProducts()

    def run(self, inputs: Tensor) -> tuple[Tensor, list[LayerCall]]:
        """Return the logits for `inputs` and the layer calls in order of execution.

        The model works on a copy of `inputs`, which it may overwrite.

        Raises:
            ModelError: the forward pass raises, or does not return one floating-point tensor.
        """
        self._replacements.begin()
        self.others = OtherProducts()
        others = self.others if self._counts else None
        caller = partial(calling_module, self._model)
        recording = Recording(self._places, self._replacements, self._origins, len(inputs), others, caller)
        given = inputs.clone()
        self._origins.mark(given, DATA)
        # The last mode sees an operation first, and what it does itself is seen by those before it alone.
        with cached(), recording, self._watch or nullcontext(), fitting_defaults(inputs):
            output = call_model(self._model, given)
        self.blocks = list(with_blocks(self._ends, recording.calls, recording.found))
        self.steps, self.used, self.gates = recording.steps, recording.used, recording.gates
        self.poolings, self.generated = recording.poolings, recording.generated
        return output, recording.calls

    def replaying(self) -> TorchFunctionMode:
        """Return a context for what calls parts of the network once more: a backward pass through checkpoints."""
        return Replaying(self._replacements)


@contextmanager
def reported(problem: str, hint: Callable[[], str] | None = None) -> Iterator[None]:
    """Turn what a user's model raises into a `ModelError` of one line: the problem, then the reason.

    Args:
        problem: what failed.
        hint: returns what is put behind it, empty for nothing; called where something failed.
    """
    try:
        yield
    except ZcproxyError:
        raise
    except MODEL_FAILURES as error:
        if is_memory_error(error):
            raise  # it tells of the device, not of the model
        reason = " ".join(str(error).split()) or type(error).__name__
        said = problem if hint is None else problem + hint()
        raise ModelError(f"{said}: {shortened(reason, 300)}") from error


def _ids_hint(model: nn.Module, inputs: Tensor) -> str:
    """Return what a model lacks that takes token ids and was given floats; empty for others."""
    takes_ids = inputs.is_floating_point() and any(isinstance(each, nn.Embedding) for each in model.modules())
    return ", of floats (for token ids, name their number in its attribute `vocabulary`)" if takes_ids else ""


def call_model(model: nn.Module, inputs: Tensor) -> Tensor:
    """Return the logits a model yields for `inputs`: of several tensors the one that `tensor_of` takes.

    Raises:
        ModelError: the forward pass raises, or returns no floating-point tensor.
    """
    with reported(f"the model failed on input of shape {tuple(inputs.shape)}", partial(_ids_hint, model, inputs)):
        output = tensor_of(model(inputs))
    if not output.is_floating_point():
        raise ModelError(f"the model returns a tensor of {output.dtype}, expected floating-point logits")
    if output.numel() == 0:
        raise ModelError(f"the model returns a tensor of shape {tuple(output.shape)}, which holds no logits")
    return output
