"""Number of linear regions that the samples fall into."""

from zcproxy.proxy.published import Published

PROXY = Published(
    name="linear_regions",
    formula="distinct_rows(layer_sum(sample_hamming(activation@noise)))",
    paper="Chen et al., TE-NAS, ICLR 2021",
    note=(
        "units are outputs of weight layers after their non-linearity, or before it where none follows, and the "
        "authors take those of ReLUs; the authors use thousands of small inputs: with few samples every one has a "
        "region of its own, and all networks score the same"
    ),
)
