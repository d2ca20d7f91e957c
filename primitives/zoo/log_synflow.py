"""Synaptic flow with the logarithm of the gradient, so that no path outweighs all others."""

from zcproxy.proxy.published import ONCE_A_USE, Published

PROXY = Published(
    name="log_synflow",
    formula="sum(sum(log1p(grad(weight)@ones) * weight@ones))",
    paper="Cavagnero et al., FreeREA, WACV 2023",
    note=f"one of several numbers that the authors combine; {ONCE_A_USE}",
)
