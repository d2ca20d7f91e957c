"""Settings that the authors of a proxy measure it with, as in their published code."""

from __future__ import annotations

from dataclasses import dataclass

from zcproxy.models.initialisation import OWN, check_rule


@dataclass(frozen=True)
class Authors:
    """The authors' own settings of a proxy.

    Attributes:
        source: repository or file that they are read from.
        batch_size: samples of a minibatch; None where the score does not depend on it.
        rule: by which weights are drawn, see `zcproxy.models.initialisation`.
        formula: where inputs, mode or computation differ from the entry's; empty for the entry's own.
        note: how their code still differs.
    """

    source: str
    batch_size: int | None = None
    rule: str = OWN
    formula: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        check_rule(self.rule)


def abdelfattah(note: str = "") -> Authors:
    """Return the settings of Abdelfattah et al., which their nine proxies share."""
    return Authors("SamsungLabs/zero-cost-nas, nasbench2_pred.py", batch_size=64, note=note)
