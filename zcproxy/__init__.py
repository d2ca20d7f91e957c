"""zcproxy: discovers zero-cost proxies by genetic programming."""

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zcproxy.names.proxies import (
        load_proxy as load_proxy,
    )
    from zcproxy.proxy.proxy import Proxy as Proxy

__version__ = version("zcproxy")


def __getattr__(name: str) -> Any:
    """Import what the package offers when it is asked for: a command answers Ctrl-C before torch is imported."""
    if name in ("Proxy", "load_proxy"):
        from zcproxy.proxy import proxy

        return getattr(proxy, name)
    raise AttributeError(f"module 'zcproxy' has no attribute '{name}'")
