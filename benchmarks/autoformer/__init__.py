"""AutoFormer (Chen et al., ICCV 2021): vision transformers with heads and MLP ratio per block."""

from zcproxy.benchmarks.autoformer.network import VisionTransformer as VisionTransformer
from zcproxy.benchmarks.autoformer.space import AutoFormerSpace as AutoFormerSpace
