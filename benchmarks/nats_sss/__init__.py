"""NATS-Bench's size search space (Dong et al., TPAMI 2021)."""

from zcproxy.benchmarks.nats_sss.space import NATSSizeSpace as NATSSizeSpace
from zcproxy.benchmarks.nats_sss.tasks import load_task as load_task
from zcproxy.benchmarks.shared.nats.datasets import DATASETS as DATASETS
