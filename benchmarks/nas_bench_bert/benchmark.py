"""The `BENCHMARK` of NAS-Bench-BERT."""

from __future__ import annotations

from functools import partial

from zcproxy.benchmarks.nas_bench_bert.labels import GLUE, TABLE
from zcproxy.benchmarks.nas_bench_bert.space import FlexiBertSpace
from zcproxy.benchmarks.nas_bench_bert.tasks import load_task
from zcproxy.benchmarks.shared.description import Benchmark
from zcproxy.benchmarks.shared.official import Release, read_known_files

BENCHMARK = Benchmark(
    "nas_bench_bert",
    datasets=(GLUE,),
    load_task=load_task,
    spaces={"nas_bench_bert": FlexiBertSpace},
    release=Release(
        "NAS-Bench-BERT (Serianni and Kalita, ACL 2023)",
        "mean score on the tasks of GLUE after pre-training and fine-tuning",
        "data/BERT_benchmark.json (github.com/aaronserianni/training-free-nas)",
        "450 kB",
        "CC BY 4.0",
        partial(read_known_files, (TABLE,)),
    ),
)
