"""zcproxy: discovers zero-cost proxies by genetic programming."""

from importlib.metadata import version

__version__ = version("zcproxy")

from zcproxy.proxy import Proxy as Proxy, load_proxy as load_proxy
