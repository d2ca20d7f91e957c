"""The `BENCHMARK` of DisWOT's students."""

from __future__ import annotations

from functools import partial

from zcproxy.benchmarks.diswot.space import StudentSpace
from zcproxy.benchmarks.diswot.tasks import LABELS, TABLE, load_task
from zcproxy.benchmarks.shared.description import Benchmark
from zcproxy.benchmarks.shared.official import Release, read_known_files

BENCHMARK = Benchmark(
    "diswot",
    datasets=tuple(LABELS),
    load_task=load_task,
    spaces={"diswot": StudentSpace},
    release=Release(
        "the students of DisWOT (Dong et al., CVPR 2023)",
        "CIFAR-100 test accuracy, distilled from a ResNet-110 (cifar100) or trained alone (cifar100-plain)",
        "exps/s1-gt-kd.txt and exps/s1-gt-cls.txt (github.com/lilujunai/DisWOT-CVPR2023)",
        "1 kB",
        "none stated",
        partial(read_known_files, (TABLE,)),
    ),
)
