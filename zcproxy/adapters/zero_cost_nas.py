"""A function for zero-cost-nas (github.com/SamsungLabs/zero-cost-nas)."""

from __future__ import annotations

from torch import Tensor, nn

from zcproxy.names.proxies import resolve_proxy
from zcproxy.proxies import DEFAULT
from zcproxy.proxy.proxy import Proxy


def measure(
    net: nn.Module, inputs: Tensor, targets: Tensor | None, device: str = "cpu", *, proxy: str | Proxy = DEFAULT
) -> float:
    """Score a network in the way of zero-cost-nas (github.com/SamsungLabs/zero-cost-nas): higher is better.

    Args:
        net: untrained; moved to `device`, otherwise left as it was.
        inputs: a minibatch.
        targets: its classes; None draws random ones for proxies that need some.
        device: `cpu` or `cuda`.
        proxy: a file, a name, a formula, or a loaded proxy.

    Returns:
        The score; NaN where it is undefined.
    """
    chosen = proxy if isinstance(proxy, Proxy) else resolve_proxy(proxy)
    return chosen(net.to(device), inputs.to(device), None if targets is None else targets.to(device))
