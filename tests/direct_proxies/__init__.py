"""Each published proxy, written from its paper: hooks, autograd and numpy, none of the engine's code but its seeds."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from direct_proxies import attention, layers, recent, samples, sizes, weight_gradients

_FAMILIES = {
    sizes: ("params", "flops", "weight_layers", "l2_norm"),
    weight_gradients: (
        *("grad_norm", "plain", "snip", "grasp", "fisher", "zico", "synflow", "log_synflow"),
        *("gradsign", "ntk_condition", "vkdnw_entropy", "vkdnw_single"),
    ),
    attention: ("softmax_confidence", "attention_confidence", "dss"),
    samples: ("naswot", "swap", "swap_regularised", "linear_regions", "jacov", "epe_nas"),
    recent: ("apd", "zico_bc", "ibfs", "intrain", "near", "l_swag", "wrcor", "epsinas", "dextr"),
    layers: (
        *("meco", "zen", "eznas_a", "eznas_a_text"),
        *("az_expressivity", "az_progressivity", "az_trainability"),
    ),
}
DIRECT: dict[str, Callable[[nn.Module, Tensor, Tensor], float]] = {
    "az_complexity": sizes.flops,
    **{name: getattr(family, name) for family, names in _FAMILIES.items() for name in names},
}
"""The computation of each entry of the zoo: of a network, images and classes."""
