"""How well scores rank networks: Kendall, Spearman, the top decile, and what another draw of networks would change."""

from zcproxy.correlation.bootstrap import bootstrap_interval as bootstrap_interval
from zcproxy.correlation.fast import PairwiseTau as PairwiseTau
from zcproxy.correlation.measures import (
    Measure as Measure,
    kendall_tau as kendall_tau,
    spearman_rho as spearman_rho,
    top_decile_tau as top_decile_tau,
)
from zcproxy.correlation.report import Correlation as Correlation, correlate as correlate
