"""Relations between samples of one class."""

from __future__ import annotations

from torch import Tensor

from zcproxy.formula import Kind, Signature, primitive
from zcproxy.primitives.arrays import where_defined


@primitive(
    Signature((Kind.SAMPLE_MATRIX, Kind.SAMPLE_MATRIX), Kind.LAYER),
    formula="sum over classes of |sum of ln(|M_ij| + k) between samples of the class|, k = 1e-5",
    domain="two samples of one class",
    reference="Lopes et al., EPE-NAS, ICANN 2021",
)
def class_log_correlation(matrix: Tensor, same_class: Tensor) -> Tensor:
    """Sum over each class: a sample of it adds its share of the class's magnitude. k is the authors'.

    Where every sample has a class of its own, only rounding errors of the diagonal are left to sum.
    """
    members = same_class.sum(dim=1)
    of_row = (same_class * (matrix.abs() + 1e-5).log()).sum(dim=1)
    of_class = (same_class @ of_row).abs()
    total = (of_class / where_defined(members > 0, members)).sum()
    return where_defined((members > 1).any(), total)
