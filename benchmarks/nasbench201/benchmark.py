"""The `BENCHMARK` of NAS-Bench-201."""

from __future__ import annotations

from functools import partial

from zcproxy.benchmarks.nasbench201.labels import TABLE
from zcproxy.benchmarks.nasbench201.official import not_known, read_official
from zcproxy.benchmarks.nasbench201.space import NASBench201Space
from zcproxy.benchmarks.nasbench201.tasks import load_task
from zcproxy.benchmarks.shared.description import Benchmark
from zcproxy.benchmarks.shared.nats.datasets import DATASETS
from zcproxy.benchmarks.shared.official import Release, read_release

BENCHMARK = Benchmark(
    "nasbench201",
    datasets=tuple(DATASETS),
    load_task=load_task,
    families={"nasbench201": tuple(DATASETS)},
    spaces={"nasbench201": NASBench201Space},
    release=Release(
        "NAS-Bench-201, the topology space of NATS-Bench (Dong and Yang, ICLR 2020; Dong et al., TPAMI 2021)",
        "test accuracy after 200 epochs, mean over the seeds stored (777, 888, 999)",
        "NAS-Bench-201-v1_1-096897.pth (github.com/D-X-Y/NAS-Bench-201), or NATS-tss-v1_0-3ffb9.pickle.pbz2 or its "
        "folder -simple (github.com/D-X-Y/NATS-Bench)",
        "4.7 GB (.pth)",
        "MIT",
        partial(read_release, TABLE, not_known, read_official),
    ),
)
