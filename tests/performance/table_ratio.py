"""Time of measuring proxies one after another, divided by that of measuring them together, on the same networks.

    python tests/performance/table_ratio.py [--networks 8] [--batch 16] [--proxies NAME,...]

Measures the thirteen proxies of NAS-Bench-Suite-Zero unless others are named. Both ways run in this process with one
thread, network by network in turn, without the column store, so that the ratio does not depend on the machine.
"""

from __future__ import annotations

import argparse

from zcproxy.columns.context import Context
from zcproxy.columns.sweep import measure_architectures
from zcproxy.formula import Node
from zcproxy.names.scorers import resolve_scorers
from zcproxy.names.tasks import get_task
from zcproxy.ranking.scoring import columns_by_setting, draw_networks

TASK = "nasbench201/cifar10"
SUITE = "params,flops,l2_norm,grad_norm,plain,snip,grasp,fisher,synflow,jacov,naswot,epe_nas,zen"


def seconds(context: Context, network: str, columns: list[Node]) -> float:
    return measure_architectures(context, [network], [str(column) for column in columns])[0].seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=8)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--proxies", default=SUITE)
    options = parser.parse_args()
    scorers = resolve_scorers(options.proxies)
    context = Context(get_task(TASK), options.batch)
    wanted = [next(iter(columns_by_setting([scorer], options.batch).values())) for scorer in scorers]
    (together,) = columns_by_setting(scorers, options.batch).values()
    alone, shared = dict.fromkeys((scorer.name for scorer in scorers), 0.0), 0.0
    for network in draw_networks(get_task(TASK), options.networks):
        shared += seconds(context, network, together)
        for scorer, columns in zip(scorers, wanted, strict=True):
            alone[scorer.name] += seconds(context, network, columns)
    for name, spent in alone.items():
        print(f"{name:<16} {spent / options.networks:7.3f} s per network")
    print(f"together         {shared / options.networks:7.3f} s per network")
    print(f"one after another takes {sum(alone.values()) / shared:.2f} times as long as together")


if __name__ == "__main__":
    main()
