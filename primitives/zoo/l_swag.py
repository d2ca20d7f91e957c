"""Small deviations of gradients across sub-batches, times the number of distinct activation patterns."""

from zcproxy.proxy.published import Published

PROXY = Published(
    name="l_swag",
    formula=(
        "nansum(log(nansum(reciprocal(std(abs(grad(weight)@chunks64))))))"
        " * distinct_patterns(unit_patterns(preactivation@data))"
    ),
    paper="Casarin et al., L-SWAG, CVPR 2025, equations 1, 7 and 8",
    note=(
        "of all layers: the authors leave out those before and behind a window of depth, which they read off a plot "
        "for each benchmark and give no numbers of; two halves of a minibatch; weights and layers without a deviation "
        "are left out, as in ZiCo; patterns as the entry swap has them. There is no published code"
    ),
)
