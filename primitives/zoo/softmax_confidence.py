"""Mean of the largest attention weights, summed over layers."""

from zcproxy.proxy.published import Published

PROXY = Published(
    name="softmax_confidence",
    formula="nansum(mean(row_max(attention@logits)))",
    paper=(
        "Serianni and Kalita, Training-free neural architecture search for RNNs and Transformers, ACL 2023; "
        "Voita et al., Analyzing multi-head self-attention, ACL 2019"
    ),
    note=(
        "the largest weight of each query, as Voita et al. define confidence, mean over queries, heads and samples, "
        "where the authors' code takes the largest over heads, and also that of softmaxes whose result is not used. "
        "NaN for networks without attention"
    ),
)
