"""DisWOT's students with weights from N(0, 1) for them and for the teacher, as its authors draw them; 16 images.

    python results/tables/diswot.py

writes results/tables/diswot_normal.csv: correlations of DisWOT and of its two parts with both accuracies, all 64
students.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from zcproxy import load_teacher
from zcproxy.names.proxies import resolve_proxy
from zcproxy.names.tasks import get_task
from zcproxy.proxy.proxy import Proxy
from zcproxy.ranking.scoring import score_networks

RULE, SAMPLES = "normal", 16
PARTS = {
    "diswot": str(resolve_proxy("diswot").formula),
    "semantic": "0 - last(channel_relation_distance(grad(weight)@data, grad(weight)@teacher))",
    "relation": "0 - last(relation_distance(sample_gram(features@data), sample_gram(features@teacher)))",
}
TASKS = ("diswot/cifar100", "diswot/cifar100-plain")


def main() -> None:
    """Measure the students and write the file."""
    load_teacher("zcproxy.benchmarks.diswot:resnet110_normal")
    scorers = [Proxy(resolve_proxy(text).formula, name, SAMPLES, rule=RULE) for name, text in PARTS.items()]
    rows = []
    for task in TASKS:
        networks = get_task(task).architectures("all")
        found = score_networks(scorers, task, networks, population=f"all {len(networks)}")
        for name, each in found.correlations().items():
            interval = {"spearman_low": each.spearman_low, "spearman_high": each.spearman_high}
            rows.append({"task": task, "proxy": name, "tau": each.tau, "spearman": each.spearman, **interval})
    pd.DataFrame(rows).round(3).to_csv(Path(__file__).with_name("diswot_normal.csv"), index=False)


if __name__ == "__main__":
    main()
