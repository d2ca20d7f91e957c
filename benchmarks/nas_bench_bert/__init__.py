"""NAS-Bench-BERT (Serianni and Kalita, ACL 2023): encoders of FlexiBERT with their scores on GLUE."""

from zcproxy.benchmarks.nas_bench_bert.encoder import Encoder as Encoder, EncoderLayer as EncoderLayer
from zcproxy.benchmarks.nas_bench_bert.space import FlexiBertSpace as FlexiBertSpace
