"""NAS-Bench-101: cells as graphs, trained on CIFAR-10 (Ying et al., ICML 2019)."""

from zcproxy.benchmarks.nasbench101.space import NASBench101Space as NASBench101Space
from zcproxy.benchmarks.nasbench101.tasks import load_task as load_task
