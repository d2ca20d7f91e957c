"""Proxies: a formula with what it takes to compute it, sums of ranks, and their files."""

from zcproxy.proxy.proxy import Proxy as Proxy
