"""Log-determinant of correlations between samples of features and gradients, late layers counting most."""

from zcproxy.proxy.authors import Authors
from zcproxy.proxy.published import Published

PROXY = Published(
    name="wrcor",
    formula=(
        "logdet(doubling_sum(abs(sample_correlation(preactivation@data64))"
        " + abs(sample_correlation(grad(preactivation)@data64))))"
    ),
    paper="Jing et al., Zero-shot NAS with weighted response correlation, Neurocomputing 2025, equations 10 and 11",
    note=(
        "the weight doubles with each live layer, and the last one has 1; in the code it doubles with each cell of the "
        "network, and all ReLUs of a cell have the same. Inputs of the ReLU that feeds a layer, or its own where none "
        "does, where the code takes those of every ReLU in a cell and the last one, and the gradient through it alone. "
        "The paper reports Spearman .812 on CIFAR-10 of NAS-Bench-201"
    ),
    authors=Authors("kunjing96/ZSNAS-WRCor, nasbench201_pred.py and act_grad_cor_weighted.py", batch_size=64),
)
