"""The `BENCHMARK` of NAS-Bench-101, which is set aside: see results/generalisation/README.md."""

from __future__ import annotations

from zcproxy.benchmarks.nasbench101.official import read
from zcproxy.benchmarks.nasbench101.space import NASBench101Space
from zcproxy.benchmarks.nasbench101.tasks import DATASETS, load_task
from zcproxy.benchmarks.shared.description import Benchmark
from zcproxy.benchmarks.shared.official import Release

BENCHMARK = Benchmark(
    "nasbench101",
    datasets=DATASETS,
    load_task=load_task,
    families={"nasbench101": DATASETS},
    set_aside=frozenset({"nasbench101"}),
    spaces={"nasbench101": NASBench101Space},
    release=Release(
        "NAS-Bench-101 (Ying et al., ICML 2019)",
        "validation accuracy after 108 epochs, mean over the trainings stored (up to three)",
        "https://storage.googleapis.com/nasbench/nasbench_only108.tfrecord (or nasbench_full.tfrecord), or the table "
        "nb101_subset_15000.csv of 15,000 cells",
        "499 MB (only108), 1.95 GB (full)",
        "Apache-2.0 (github.com/google-research/nasbench)",
        read,
    ),
)
