"""Mean over features of the largest query, key or value among tokens, summed over layers."""

from zcproxy.proxy.published import Published

PROXY = Published(
    name="attention_confidence",
    formula="sum((in_attention - reads_attention) * mean(token_max(output@logits)))",
    paper="Serianni and Kalita, Training-free neural architecture search for RNNs and Transformers, ACL 2023",
    note=(
        "of the projections that attention takes, as in the authors' code; one that makes queries, keys and values "
        "together counts once. Projections before transforms, which the code takes too, are left out: 0 without "
        "attention"
    ),
)
