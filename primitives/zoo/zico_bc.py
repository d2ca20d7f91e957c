"""ZiCo, less what is large in deep and thin networks."""

from zcproxy.proxy.published import Published
from zcproxy.proxy.reported import reported

BIAS_CORRECTED = "Bhardwaj et al., ZiCo-BC, ICCV Workshops 2023"

PROXY = Published(
    name="zico_bc",
    formula=(
        "nansum(log(nansum(mean(abs(grad(weight)@chunks64)) / std(abs(grad(weight)@chunks64)))))"
        " - sum(log(resolution / sqrt(channels)))"
    ),
    paper=f"{BIAS_CORRECTED}, equation 2",
    note=(
        "the weight of the penalty is 1, which the authors take for classification; they say nothing of that for "
        "NATS-Bench; ZiCo as the entry zico has it; the penalty is of the output of every live layer, the classifier "
        "too. Meant for spaces of one repeated block: where depth differs otherwise, the authors warn of it"
    ),
    reported=reported(
        "nats_sss",
        "all",
        f"{BIAS_CORRECTED}, table 2",
        {"cifar10": 0.78, "cifar100": 0.60, "imagenet16-120": 0.79},
    ),
)
