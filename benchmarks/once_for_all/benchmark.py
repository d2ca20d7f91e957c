"""The `BENCHMARK` of the super-networks of Once-for-All."""

from __future__ import annotations

from functools import partial

from zcproxy.benchmarks.once_for_all.latency import MEASUREMENTS, predicted_latencies
from zcproxy.benchmarks.once_for_all.mobilenetv3_space import MobileNetV3Space
from zcproxy.benchmarks.once_for_all.resnet50_space import ResNet50Space
from zcproxy.benchmarks.once_for_all.tasks import DATASETS, TABLE, load_task
from zcproxy.benchmarks.shared.description import Benchmark
from zcproxy.benchmarks.shared.official import Release, read_known_files

BENCHMARK = Benchmark(
    "ofa_mobilenetv3",
    datasets=DATASETS,
    load_task=load_task,
    sized=DATASETS,
    families={"ofa_mobilenetv3": DATASETS},
    spaces={"ofa_mobilenetv3": MobileNetV3Space, "ofa_resnet50": ResNet50Space},
    measurements={"ofa_mobilenetv3": predicted_latencies},
    release=Release(
        "Once-for-All MobileNetV3-w1.0 (Cai et al., ICLR 2020), sub-networks that two searches evaluated",
        "ImageNet top-1 with the weights of the super-network, at 224 pixels",
        "mbnv3w10_{evonsga2,linasnsga2}_acc_macs.csv (github.com/IntelLabs/DyNAS-T, notebooks); for latencies "
        "ofa_archs.json, ofa_latency.npz (HELP)",
        "0.3 MB",
        "Apache-2.0; latencies MIT",
        partial(read_known_files, (TABLE, MEASUREMENTS)),
    ),
)
