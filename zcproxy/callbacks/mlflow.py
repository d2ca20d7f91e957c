"""Epochs of evolution in MLflow."""

from __future__ import annotations

import os
import time
from typing import Any

from zcproxy.callbacks.measured import configured, measured
from zcproxy.discovery.watching import Epoch
from zcproxy.extras import check_extra, extra

LONGEST_VALUE, MOST_VALUES = 500, 100
"""Characters of a parameter that every store of MLflow takes, and parameters that it takes at once."""
LONGEST_TAG = 5000


class MLflow:
    """Logs each epoch as a step of a run of MLflow, which `mlflow ui` shows.

    The metrics are those of `TensorBoard`, the parameters are the settings of the fit, and the tag `formula` is the
    best formula so far. Each fit is a run of its own; inside of `mlflow.start_run()` it is a child of that run.

    Args:
        tracking_uri: the store, such as `sqlite:///mlflow.db` or `http://localhost:5000`; None for MLflow's own choice,
            the environment variable `MLFLOW_TRACKING_URI`.
        experiment: its name, made where there is none; None for `MLFLOW_EXPERIMENT_NAME`, or else `zcproxy`.
        run_name: of the runs; None for a name that MLflow makes up.

    Raises:
        ConfigurationError: the package `mlflow` is not installed. `mlflow-skinny` is enough for a server; a store in a
            file needs `sqlalchemy` and `alembic` too, which the extra brings.

    Example:
        >>> from zcproxy.callbacks import MLflow
        >>> search = zcproxy.ProxySearch(callback=MLflow("sqlite:///mlflow.db"))  # doctest: +SKIP
    """

    def __init__(
        self, tracking_uri: str | None = None, *, experiment: str | None = None, run_name: str | None = None
    ) -> None:
        check_extra("mlflow", "MLflow", "mlflow")
        self._tracking_uri, self._experiment, self._run_name = tracking_uri, experiment, run_name
        self._client: Any = None
        self._run = ""

    def __call__(self, epoch: Epoch) -> None:
        """Log an epoch."""
        if epoch.number == 1:
            self.close()
        if self._client is None:
            self._begin(epoch)
        from mlflow.entities import Metric

        now = _milliseconds()
        metrics = [Metric(name, value, now, epoch.number) for name, value in measured(epoch).items()]
        self._client.log_batch(self._run, metrics=metrics)
        self._client.set_tag(self._run, "formula", epoch.formula[:LONGEST_TAG])

    def close(self) -> None:
        """End the run of MLflow."""
        if self._client is not None:
            self._client.set_terminated(self._run)
            self._client = None

    def _begin(self, epoch: Epoch) -> None:
        with extra("mlflow", "MLflow"):
            import mlflow
            from mlflow.entities import Param
        outer = mlflow.active_run()
        uri = self._tracking_uri or mlflow.get_tracking_uri()
        client = mlflow.MlflowClient(uri)
        tags = {} if outer is None else {"mlflow.parentRunId": outer.info.run_id}
        made = client.create_run(self._experiment_id(client, outer), tags=tags, run_name=self._run_name)
        values = [Param(name, text[:LONGEST_VALUE]) for name, text in configured(epoch).items()]
        client.log_batch(made.info.run_id, params=values[:MOST_VALUES])
        self._client, self._run = client, made.info.run_id

    def _experiment_id(self, client: Any, outer: Any) -> str:
        """Return the experiment to log into: that of the run around it, or one by name."""
        if outer is not None and self._experiment is None:
            return str(outer.info.experiment_id)
        name = self._experiment or os.environ.get("MLFLOW_EXPERIMENT_NAME") or "zcproxy"
        known = client.get_experiment_by_name(name)
        return str(client.create_experiment(name) if known is None else known.experiment_id)

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy needs: scikit-learn copies callbacks with estimators, and each has runs of its own."""
        return {**vars(self), "_client": None, "_run": ""}


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000
