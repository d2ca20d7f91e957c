"""Smallest growth of expressivity from one block to the next."""

from zcproxy.proxy.authors import Authors
from zcproxy.proxy.published import Published

PROXY = Published(
    name="az_progressivity",
    formula="nanleast_step(entropy(eigenvalues(channel_covariance(block@noise))))",
    paper="Lee and Ham, AZ-NAS, CVPR 2024, equation 5",
    note="blocks as az_expressivity has them",
    authors=Authors("cvlab-yonsei/AZ-NAS, NB201", batch_size=64, rule="kaiming_normal_fan_in"),
)
