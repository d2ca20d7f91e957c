"""Callbacks of evolution for the programs that people log experiments with, and a bar of progress.

`TensorBoard` and `MLflow` are for `callback=` of `zcproxy.ProxySearch`, and `zcproxy evolve --log`; `Progress` is for
`observer=` of `zcproxy.discover`, `zcproxy.evolve` and `zcproxy.table`.
"""

from __future__ import annotations

from zcproxy.callbacks.mlflow import MLflow as MLflow
from zcproxy.callbacks.progress import Progress as Progress
from zcproxy.callbacks.tensorboard import TensorBoard as TensorBoard

__all__ = ["MLflow", "Progress", "TensorBoard"]
