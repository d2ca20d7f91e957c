"""Evenness of what samples tell about single weights."""

from zcproxy.proxy.authors import Authors
from zcproxy.proxy.published import Published

PROXY = Published(
    name="vkdnw_entropy",
    formula="decile_entropy(information@fisher)",
    paper="Tybl and Neumann, VKDNW, CVPR 2025, equation 11",
    note=(
        "as in the authors' code: in evaluation mode, the first element of every parameter (biases, normalisations and "
        "dead layers too), class probabilities mixed with a twentieth of even ones, which the text does not mention"
    ),
    batch_size=8,
    authors=Authors(
        "ondratybl/VKDNW, NB201/ZeroShotProxy/compute_vkdnw_score.py", batch_size=64, rule="kaiming_normal_fan_in"
    ),
)
