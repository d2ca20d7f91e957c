"""The `BENCHMARK` of TransNAS-Bench-101. Jigsaw is in no family: a network takes nine images, 5 GB per worker."""

from __future__ import annotations

from zcproxy.benchmarks.shared.description import Benchmark
from zcproxy.benchmarks.shared.official import Release
from zcproxy.benchmarks.transnas101.macro import MacroSpace
from zcproxy.benchmarks.transnas101.micro import MicroSpace
from zcproxy.benchmarks.transnas101.official import read
from zcproxy.benchmarks.transnas101.tasks import DATASETS, load_task

BENCHMARK = Benchmark(
    "transnas101",
    datasets=DATASETS,
    load_task=load_task,
    sized=DATASETS,
    families={
        "transnas101-micro": ("micro-object", "micro-scene"),
        "transnas101-macro": ("macro-object", "macro-scene"),
    },
    spaces={"transnas101_micro": MicroSpace, "transnas101_macro": MacroSpace},
    release=Release(
        "TransNAS-Bench-101 (Duan et al., CVPR 2021)",
        "test top-1 of the best epoch, one training each",
        "transnas-bench_v10141024.pth (github.com/yawen-d/TransNASBench), or the tables "
        "transbench101_{class_object,class_scene,jigsaw}.csv (NASGraph-Public, Apache-2.0)",
        "not known (.pth), 0.8 MB (tables)",
        "not stated (.pth)",
        read,
    ),
)
