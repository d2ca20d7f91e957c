"""NDS: nine families of networks on CIFAR-10 and ImageNet (Radosavovic et al., ICCV 2019)."""

from zcproxy.benchmarks.nds.entries import FAMILIES as FAMILIES, build_entry as build_entry
