"""Published measurements of the networks of NAS-Bench-201: validation accuracy, latency, energy.

`validation_accuracy` (percent, after 200 epochs) is what a search may look at where its picks are judged by the label,
a test accuracy; for CIFAR-10 it comes from trainings on half of the training images. `validation_accuracy_12` is that
of CIFAR-10 after the schedule of 12 epochs, on all three datasets: what RoBoT (He et al., ICLR 2024) queries. The
quantities of devices are `latency_ms:DEVICE` and `energy_mj:DEVICE`. HW-NAS-Bench (Li et al., ICLR 2021, arXiv
2103.10584) measured six devices on each dataset; HELP (Lee et al., NeurIPS 2021, arXiv 2106.08630) has its CIFAR-10
figures of four of them, and more devices, some with several batch sizes (`1080ti_32`).
"""

from __future__ import annotations

from functools import partial

from zcproxy.benchmarks.nasbench201.labels import TABLE_FILE, TABLE_SHA256
from zcproxy.benchmarks.shared.label_table import KnownFile, TableSource, convert_parquet
from zcproxy.benchmarks.shared.nats.datasets import DATASETS
from zcproxy.contracts.measurements import Measurements, tabulated

HW_NAS_BENCH = {
    "latency_ms": ("edgegpu", "raspi4", "edgetpu", "pixel3", "eyeriss", "fpga"),
    "energy_mJ": ("edgegpu", "eyeriss", "fpga"),
}
HELP = (
    *(f"{card}_{batch}" for card in ("1080ti", "2080ti", "titan_rtx", "titanx", "titanxp") for batch in (1, 32, 256)),
    *("essential_ph_1", "gold_6226", "gold_6240", "pixel2", "samsung_a50", "samsung_s7", "silver_4114", "silver_4210r"),
)
"""Devices that HELP alone has."""


def published_measurements(dataset: str) -> Measurements:
    """Return the quantities of all cells on a dataset.

    Args:
        dataset: one of `DATASETS`.

    Raises:
        BenchmarkError: the file of the table is not in the data directory.
    """
    columns = _columns(DATASETS[dataset].column)
    known = KnownFile(TABLE_FILE, TABLE_SHA256)
    convert = partial(convert_parquet, "arch", tuple(columns.values()))
    table = TableSource("nasbench201", "measurements", (known,), convert, tuple(columns.values())).load()
    numbers = {name: table.columns[column] for name, column in columns.items()}
    return tabulated(f"the published table of nasbench201/{dataset}", table.rows, numbers)


def _columns(dataset: str) -> dict[str, str]:
    """Return the column of the table for each quantity."""
    found = {"validation_accuracy": f"{dataset}/val_200", "validation_accuracy_12": "cifar10/val_12"}
    found |= {
        f"{unit.lower()}:{device}": f"hwnb_{dataset}_{device}_{unit}"
        for unit, devices in HW_NAS_BENCH.items()
        for device in devices
    }
    if dataset == "cifar10":
        found |= {f"latency_ms:{device}": f"help_{device}_latency_ms" for device in HELP}
    return found
