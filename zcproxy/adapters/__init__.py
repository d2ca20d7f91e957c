"""Proxies for other tools: a problem for pymoo, a function for zero-cost-nas, an evaluator for DyNAS-T."""

from zcproxy.adapters.dynast import SubNetworkEvaluator as SubNetworkEvaluator
from zcproxy.adapters.pymoo import ArchitectureProblem as ArchitectureProblem
from zcproxy.adapters.zero_cost_nas import measure as measure
