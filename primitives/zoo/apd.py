"""Stable rank of the normalised features, times the spread of the weights."""

from zcproxy.proxy.published import Published
from zcproxy.proxy.reported import on_cells

PROXY = Published(
    name="apd",
    formula=(
        "sum(is_normalized * stable_rank(channel_gram(normalized@data)))"
        " * sum(positive(resolution - 1) * (l1_norm(weight) / frobenius_norm(weight)))"
    ),
    paper="APD, found by a language model, NeurIPS 2025, table 1",
    note=(
        "from a description, we did not find the text: squared Frobenius over squared spectral norm of the features "
        "behind each normalisation, summed, times the sum over convolutions of the weight's L1 over its L2 norm. Our "
        "reading: features are channels x samples and positions, of a minibatch of images; a convolution is a live "
        "layer with more than one position, so that linear layers between tokens count too"
    ),
    reported=on_cells("all", 0.635, 0.654, 0.633),
)
