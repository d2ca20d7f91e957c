"""Mean over deviation of gradients across sub-batches."""

from zcproxy.primitives.zoo.published import Published

PROXY = Published(
    name="zico",
    formula="sum(log(sum(mean(abs(grad(weight)@chunks)) / std(abs(grad(weight)@chunks)))))",
    paper="Li et al., ZiCo, ICLR 2023, equation 4",
    note="two halves of a minibatch; a weight whose gradients agree exactly makes the layer undefined",
)
