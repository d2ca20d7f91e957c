"""Attention of separate linear maps in place of `nn.MultiheadAttention`, which cannot have fewer heads of one size."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zcproxy.errors import ModelError


class SeparateAttention(nn.Module):
    """Multi-head attention (Vaswani et al., NeurIPS 2017, section 3.2.2) called like `nn.MultiheadAttention`.

    Args:
        width: entries of a token.
        heads: heads of `width / heads` entries each, as long as `num_heads` is not lowered.
        bias: whether the linear maps add one.
        dropout: chance that an attention weight is dropped in training.
        batch_first: whether tensors are samples x tokens x width, otherwise tokens x samples x width.
    """

    in_proj_bias = None  # tells the layers of torch that their fused kernels do not apply
    _qkv_same_embed_dim = True

    def __init__(self, width: int, heads: int, *, bias: bool, dropout: float, batch_first: bool) -> None:
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(width, width, bias) for _ in range(4))
        self.num_heads, self.dropout, self.batch_first = heads, dropout, batch_first

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, None]:
        """Return what each token collects, and no attention weights. `attn_mask` says all that `is_causal` hints at."""
        if not self.batch_first:
            query, key, value = (part.transpose(0, 1) for part in (query, key, value))
        parts = (self.query(query), self.key(key), self.value(value))
        queries, keys, values = (part.unflatten(-1, (self.num_heads, -1)).transpose(1, 2) for part in parts)
        mask = _mask(key_padding_mask, attn_mask, queries)
        dropout = self.dropout if self.training else 0.0
        collected = F.scaled_dot_product_attention(queries, keys, values, mask, dropout)
        outputs: Tensor = self.out(collected.transpose(1, 2).flatten(2))
        return outputs if self.batch_first else outputs.transpose(0, 1), None


def _mask(padding: Tensor | None, attention: Tensor | None, queries: Tensor) -> Tensor | None:
    """Return what is added to the scores: both masks, samples x 1 x 1 x keys and queries x keys, as one."""
    if attention is not None and attention.dim() != 2:
        raise ModelError(
            f"an elastic attention takes a mask of queries x keys, not one of shape {tuple(attention.shape)}: heads "
            "of its own would have to go with them"
        )
    added = [_added(mask, queries) for mask in (None if padding is None else padding[:, None, None], attention)]
    masks = [mask for mask in added if mask is not None]
    return sum(masks[1:], masks[0]) if masks else None


def _added(mask: Tensor | None, like: Tensor) -> Tensor | None:
    """Return a mask as numbers to add: a boolean one says where not to look."""
    if mask is None or mask.is_floating_point():
        return mask
    return torch.zeros(mask.shape, dtype=like.dtype, device=like.device).masked_fill(mask, -torch.inf)


def separated(module: nn.MultiheadAttention, name: str) -> SeparateAttention:
    """Return attention that computes the same, with weights of its own.

    Raises:
        ModelError: keys or values have another width, or rows of their own.
    """
    if not module._qkv_same_embed_dim or module.bias_k is not None or module.add_zero_attn:
        raise ModelError(
            f"cannot make the model elastic: '{name}' is an nn.MultiheadAttention with `kdim`, `vdim`, `add_bias_kv` "
            "or `add_zero_attn`: leave these out"
        )
    bias = module.in_proj_bias is not None
    made = SeparateAttention(
        module.embed_dim, module.num_heads, bias=bias, dropout=module.dropout, batch_first=module.batch_first
    )
    with torch.no_grad():
        for linear, weight in zip((made.query, made.key, made.value), module.in_proj_weight.chunk(3), strict=True):
            linear.weight.copy_(weight)
        made.out.weight.copy_(module.out_proj.weight)
        if module.in_proj_bias is not None:
            for linear, own in zip((made.query, made.key, made.value), module.in_proj_bias.chunk(3), strict=True):
                linear.bias.copy_(own)
            made.out.bias.copy_(module.out_proj.bias)
    return made.train(module.training)


def separate_all(model: nn.Module) -> None:
    """Put attention of separate linear maps in the place of each `nn.MultiheadAttention`. Raises `ModelError`."""
    for name, module in list(model.named_modules()):
        if type(module) is nn.MultiheadAttention:
            model.set_submodule(name, separated(module, name))
        elif isinstance(module, nn.TransformerEncoder):
            module.enable_nested_tensor = module.use_nested_tensor = False  # its fused kernels read fused weights
