"""The students of DisWOT (Dong et al., CVPR 2023): 64 CIFAR ResNets, trained alone and distilled, and their teacher."""

from zcproxy.benchmarks.diswot.network import (
    CifarResNet as CifarResNet,
    resnet110 as resnet110,
    resnet110_normal as resnet110_normal,
)
from zcproxy.benchmarks.diswot.space import StudentSpace as StudentSpace
