"""Rank correlations between scores and labels: Kendall, Spearman, the top decile, and their bootstrap intervals."""

from zcproxy.correlation.bootstrap import bootstrap_draws as bootstrap_draws, interval as interval
from zcproxy.correlation.fast import PairwiseTau as PairwiseTau
from zcproxy.correlation.measures import (
    has_top_decile as has_top_decile,
    kendall_tau as kendall_tau,
    partial_spearman as partial_spearman,
    spearman_rho as spearman_rho,
    top_decile_tau as top_decile_tau,
    weighted_tau as weighted_tau,
)
from zcproxy.correlation.paired import Difference as Difference, difference as difference, holm as holm
from zcproxy.correlation.picks import ndcg as ndcg, pick_accuracy as pick_accuracy, regret as regret
from zcproxy.correlation.report import Correlation as Correlation, correlate as correlate
