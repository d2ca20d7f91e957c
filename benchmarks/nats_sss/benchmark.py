"""The `BENCHMARK` of the size space of NATS-Bench."""

from __future__ import annotations

from functools import partial

from zcproxy.benchmarks.nats_sss.official import not_known, read_official
from zcproxy.benchmarks.nats_sss.space import NATSSizeSpace
from zcproxy.benchmarks.nats_sss.tasks import TABLE, load_task
from zcproxy.benchmarks.shared.description import Benchmark
from zcproxy.benchmarks.shared.nats.datasets import DATASETS
from zcproxy.benchmarks.shared.official import Release, read_release

BENCHMARK = Benchmark(
    "nats_sss",
    datasets=tuple(DATASETS),
    load_task=load_task,
    families={"nats_sss": tuple(DATASETS)},
    spaces={"nats_sss": NATSSizeSpace},
    release=Release(
        "the size space of NATS-Bench (Dong et al., TPAMI 2021)",
        "test accuracy after 90 epochs, one training (seed 777), release NATS-sss-v1_0",
        "NATS-sss-v1_0-50262.pickle.pbz2 or its folder -simple (github.com/D-X-Y/NATS-Bench)",
        "not known",
        "MIT",
        partial(read_release, TABLE, not_known, read_official),
    ),
)
