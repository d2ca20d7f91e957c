"""NAS-Bench-201 (Dong and Yang, ICLR 2020, arXiv 2001.00326): 15,625 cells, each trained on three datasets."""

from __future__ import annotations

from zcproxy.benchmarks.nasbench201.network import NASBench201Network as NASBench201Network
from zcproxy.benchmarks.nasbench201.space import NASBench201Space as NASBench201Space
from zcproxy.benchmarks.nasbench201.tasks import NASBench201Task as NASBench201Task, load_task as load_task
from zcproxy.benchmarks.shared.nats.datasets import DATASETS as DATASETS
