"""Search algorithms: each proposes architectures to evaluate, and is told how they did."""

from __future__ import annotations

from zcproxy.search.algorithms.ask_tell import Algorithm as Algorithm, Proposer as Proposer
from zcproxy.search.algorithms.catalogue import ALGORITHMS as ALGORITHMS, make_algorithm as make_algorithm
