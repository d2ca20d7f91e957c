"""The `BENCHMARK` of NDS."""

from __future__ import annotations

from functools import partial

from zcproxy.benchmarks.nds.entries import space_of
from zcproxy.benchmarks.nds.families import FAMILIES
from zcproxy.benchmarks.nds.labels import FILES
from zcproxy.benchmarks.nds.tasks import DATASETS, load_task
from zcproxy.benchmarks.shared.description import Benchmark
from zcproxy.benchmarks.shared.official import Release, read_known_files

BENCHMARK = Benchmark(
    "nds",
    datasets=DATASETS,
    load_task=load_task,
    sized=tuple(dataset for dataset in DATASETS if not dataset.endswith("cifar10")),
    families={
        "nds-cells": tuple(f"{space}-imagenet" for space in ("darts", "amoeba", "nasnet", "pnas", "enas")),
        "nds-resnext": ("resnext-a-imagenet", "resnext-b-imagenet"),
        "nds-resnet": ("resnet-lr-wd-imagenet",),
        "nds-vanilla": ("vanilla-lr-wd-imagenet",),
    },
    set_aside=frozenset({"nds-vanilla"}),
    spaces={f"nds_{family.lower()}": partial(space_of, family) for family in FAMILIES},
    release=Release(
        "NDS, nine families of networks (Radosavovic et al., ICCV 2019)",
        "test accuracy after the last epoch (CIFAR-10: 100, ImageNet: 50), one training each",
        "https://dl.fbaipublicfiles.com/nds/data.zip, or json files of it",
        "not known",
        "MIT (github.com/facebookresearch/nds)",
        partial(read_known_files, tuple(file.source for file in FILES.values())),
    ),
)
