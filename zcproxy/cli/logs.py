"""The option `--log` of `zcproxy evolve`: epochs in TensorBoard and MLflow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from zcproxy.callbacks import MLflow, TensorBoard
from zcproxy.discovery.watching import Epoch, Watching
from zcproxy.errors import ConfigurationError, ZcproxyError, check_known
from zcproxy.names.scorers import split_names
from zcproxy.storage.notices import notice
from zcproxy.user_code.border import running

TENSORBOARD, MLFLOW = "tensorboard", "mlflow"
LOGGERS = (TENSORBOARD, MLFLOW)

Log = Annotated[
    str,
    typer.Option(
        "--log",
        metavar="tensorboard,mlflow",
        help=f"Log every epoch in one of these or both: {TENSORBOARD} in the folder {TENSORBOARD} of the run "
        f"directory, {MLFLOW} where MLFLOW_TRACKING_URI says.",
    ),
]


def check_logs(text: str) -> None:
    """Raise `ConfigurationError` for a logger that there is not, or whose package is not installed."""
    for name in split_names(text):
        check_known("logger", name, LOGGERS)
        _MAKERS[name](Path())


def logging_observer(given: Mapping[str, Any], path: Path, settings: Mapping[str, Any]) -> Watching | None:
    """Return the observer that logs a run; None where nothing is logged.

    A logger that fails is left out from then on: the run goes on.

    Args:
        given: parameters of the command.
        path: the run directory.
        settings: options in effect.
    """
    names = split_names(given["log"])
    if not names:
        return None
    loggers = {name: _MAKERS[name](path) for name in dict.fromkeys(names)}
    part = "all labels" if given["models"] else "training networks"
    return Watching(_Loggers(loggers), given["generations"] or 0, verbose=False, settings=settings, part=part)


class _Loggers:
    """Several loggers as one callback."""

    def __init__(self, loggers: dict[str, Any]) -> None:
        self._loggers = loggers

    def __call__(self, epoch: Epoch) -> None:
        for name, logger in list(self._loggers.items()):
            self._tell(name, partial(logger, epoch))

    def close(self) -> None:
        for name, logger in list(self._loggers.items()):
            self._tell(name, logger.close)

    def _tell(self, name: str, call: Callable[[], None]) -> None:
        try:
            with running(f"nothing more is logged in {name}", ConfigurationError):
                call()
        except ZcproxyError as error:
            notice(str(error))
            self._loggers.pop(name)


_MAKERS: dict[str, Callable[[Path], Any]] = {
    TENSORBOARD: lambda path: TensorBoard(path / TENSORBOARD),
    MLFLOW: lambda path: MLflow(run_name=path.name or None),
}
