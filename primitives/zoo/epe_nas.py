"""Correlation between samples of one class of the gradient by the input."""

from zcproxy.proxy.authors import Authors
from zcproxy.proxy.published import Published

PROXY = Published(
    name="epe_nas",
    formula="first(class_log_correlation(sample_correlation(grad(input)@logits64), same_class@data))",
    paper="Lopes et al., EPE-NAS, ICANN 2021",
    note=(
        "undefined where no two images have the same class (16 images of CIFAR-100 or ImageNet16-120), where the code "
        "is left with rounding errors of ln 1; for up to 100 classes, above which the code compares classes with each "
        "other; the gradient by the input of the first live layer, which has to read the images themselves"
    ),
    authors=Authors("VascoLopes/EPE-NAS, search.py", batch_size=256),
)
