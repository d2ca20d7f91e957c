"""Log-determinant of the Hamming kernel between samples."""

from zcproxy.primitives.zoo.published import Published

PROXY = Published(
    name="naswot",
    formula="logdet(layer_sum(sample_hamming(preactivation@data)))",
    paper="Mellor et al., Neural architecture search without training, ICML 2021",
    note="one kernel a layer and its input non-linearity, where the authors take one a ReLU",
)
