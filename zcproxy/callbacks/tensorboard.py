"""Epochs of evolution in TensorBoard."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from zcproxy.callbacks.measured import configured, measured
from zcproxy.discovery.watching import Epoch
from zcproxy.extras import check_extra, extra
from zcproxy.storage.files import cannot_write
from zcproxy.text.escaping import markdown


class TensorBoard:
    """Writes each epoch as a step of a run of TensorBoard: `tensorboard --logdir FOLDER` shows it.

    The scalars are `tau/training`, `tau/validation` where networks are left out, `formula/nodes`, `time/seconds` and
    `time/formulas_per_second`; the texts `formula`, the best so far, and `configuration`. The first fit writes into the
    folder itself, each further one into a folder in it, `fit-2` and so on, so that TensorBoard tells them apart.

    Args:
        folder: of the events; made when the first epoch is over.

    Raises:
        ConfigurationError: the package `tensorboard` is not installed.

    Example:
        >>> from zcproxy.callbacks import TensorBoard
        >>> search = zcproxy.ProxySearch(callback=TensorBoard("runs/board"))  # doctest: +SKIP
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        check_extra("tensorboard", "TensorBoard", "tensorboard")
        self._folder = Path(folder)
        self._writer: Any = None

    def __call__(self, epoch: Epoch) -> None:
        """Write an epoch. Raises `StorageError` where the folder cannot be written."""
        try:
            self._write(epoch)
        except OSError as error:
            raise cannot_write(self._folder, error) from error

    def close(self) -> None:
        """End the run of TensorBoard; the next epoch begins another or, of a run that is resumed, goes on with it."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _write(self, epoch: Epoch) -> None:
        if epoch.number == 1:
            self.close()
        if self._writer is None:
            self._writer = self._opened(self._place() if epoch.number == 1 else self._folder)
            rows = [f"| {markdown(name)} | {markdown(text)} |" for name, text in configured(epoch).items()]
            if rows:
                self._writer.add_text("configuration", "\n".join(["| option | value |", "|---|---|", *rows]), 0)
        for name, value in measured(epoch).items():
            self._writer.add_scalar(name, value, epoch.number)
        self._writer.add_text("formula", f"`{epoch.formula}`", epoch.number)
        self._writer.flush()

    def _place(self) -> Path:
        """Return the folder of a new fit: one without events."""
        number, place = 1, self._folder
        while place.is_dir() and any(place.glob("events.out.tfevents.*")):
            number += 1
            place = self._folder / f"fit-{number}"
        return place

    @staticmethod
    def _opened(place: Path) -> Any:
        with extra("tensorboard", "TensorBoard"):
            from torch.utils.tensorboard import SummaryWriter
        return SummaryWriter(str(place))

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy needs: scikit-learn copies callbacks with estimators, and open files stay behind."""
        return {**vars(self), "_writer": None}
