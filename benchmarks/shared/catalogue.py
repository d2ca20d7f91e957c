"""The published benchmarks: what they are, where their official files are, and what reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pandas as pd

from zcproxy.benchmarks.nasbench201 import labels as nasbench201_labels, official as nasbench201_official
from zcproxy.benchmarks.nats_sss import official as nats_sss_official, tasks as nats_sss_tasks
from zcproxy.benchmarks.nds.labels import FILES
from zcproxy.benchmarks.once_for_all import latency as once_for_all_latency, tasks as once_for_all
from zcproxy.benchmarks.shared.label_table import ARCHITECTURE, Converted, TableSource
from zcproxy.benchmarks.shared.official import Benchmark, Reading, read_known_files
from zcproxy.benchmarks.transnas101 import official as transnas101
from zcproxy.errors import BenchmarkError, nearest_names
from zcproxy.reading.data_directory import sha256_of
from zcproxy.workers.progress import Progress


def read_release(
    table: TableSource,
    not_known: Callable[[Path], BenchmarkError],
    read: Callable[..., pd.DataFrame],
    path: Path,
    trust: bool,
    progress: Progress,
) -> Iterator[Reading]:
    """Yield the table in a release of pickles, or in the file that the table is otherwise made of.

    Args:
        table: what is made of it.
        not_known: says why a release is read with trust alone.
        read: returns the table; never runs code that a file names.
        path: file or folder.
        trust: read a release. Of none the whole digest is known.
        progress: is told the number of records read, and of how many.
    """
    if path.name in {name for file in table.files for name in (file.name, f"{file.name}.gz")}:
        yield from read_known_files((table,), path, trust, progress)
        return
    if not path.exists():
        raise BenchmarkError(f"there is no file or folder {path}")
    if not trust:
        raise not_known(path)
    frame = read(path, progress=progress)
    digest = "" if path.is_dir() else sha256_of(path)
    yield Reading(table, {path.name: digest}, False, Converted(frame.rename(columns={"arch_str": ARCHITECTURE})))


_BENCHMARKS = (
    Benchmark(
        "nasbench201",
        "NAS-Bench-201, the topology space of NATS-Bench (Dong and Yang, ICLR 2020; Dong et al., TPAMI 2021)",
        "test accuracy after 200 epochs, mean over the seeds stored (777, 888, 999)",
        "NAS-Bench-201-v1_1-096897.pth (github.com/D-X-Y/NAS-Bench-201), or NATS-tss-v1_0-3ffb9.pickle.pbz2 or its "
        "folder -simple (github.com/D-X-Y/NATS-Bench)",
        "4.7 GB (.pth)",
        "MIT",
        partial(
            read_release,
            nasbench201_labels.TABLE,
            nasbench201_official.not_known,
            nasbench201_official.read_official,
        ),
    ),
    Benchmark(
        "nats_sss",
        "the size space of NATS-Bench (Dong et al., TPAMI 2021)",
        "test accuracy after 90 epochs, one training (seed 777), release NATS-sss-v1_0",
        "NATS-sss-v1_0-50262.pickle.pbz2 or its folder -simple (github.com/D-X-Y/NATS-Bench)",
        "not known",
        "MIT",
        partial(read_release, nats_sss_tasks.TABLE, nats_sss_official.not_known, nats_sss_official.read_official),
    ),
    Benchmark(
        "nds",
        "NDS, nine families of networks (Radosavovic et al., ICCV 2019)",
        "test accuracy after the last epoch (CIFAR-10: 100, ImageNet: 50), one training each",
        "https://dl.fbaipublicfiles.com/nds/data.zip, or json files of it",
        "not known",
        "MIT (github.com/facebookresearch/nds)",
        partial(read_known_files, tuple(file.source for file in FILES.values())),
    ),
    Benchmark(
        "transnas101",
        "TransNAS-Bench-101 (Duan et al., CVPR 2021)",
        "test top-1 of the best epoch, one training each",
        "transnas-bench_v10141024.pth (github.com/yawen-d/TransNASBench), or the tables "
        "transbench101_{class_object,class_scene,jigsaw}.csv (NASGraph-Public, Apache-2.0)",
        "not known (.pth), 0.8 MB (tables)",
        "not stated (.pth)",
        transnas101.read,
    ),
    Benchmark(
        "ofa_mobilenetv3",
        "Once-for-All MobileNetV3-w1.0 (Cai et al., ICLR 2020), sub-networks that two searches met",
        "ImageNet top-1 with the weights of the super-network, at 224 pixels",
        "mbnv3w10_{evonsga2,linasnsga2}_acc_macs.csv (github.com/IntelLabs/DyNAS-T, notebooks); for latencies "
        "ofa_archs.json, ofa_latency.npz (HELP)",
        "0.3 MB",
        "Apache-2.0; latencies MIT",
        partial(read_known_files, (once_for_all.TABLE, once_for_all_latency.MEASUREMENTS)),
    ),
)


def published(name: str) -> Benchmark:
    """Return what is known of a benchmark. Raises `BenchmarkError` if there is none of this name."""
    known = {benchmark.name: benchmark for benchmark in _BENCHMARKS}
    if name not in known:
        raise BenchmarkError(f"unknown benchmark '{name}'{nearest_names(name, known)}; known are {', '.join(known)}")
    return known[name]
