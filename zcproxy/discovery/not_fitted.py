"""The error of an estimator that is not fitted: scikit-learn's own too, where that is installed."""

from __future__ import annotations

from zcproxy.errors import ConfigurationError

try:
    from sklearn.exceptions import NotFittedError as _NotFittedError
except ModuleNotFoundError:

    class _NotFittedError(ValueError, AttributeError):  # type: ignore[no-redef]
        """What stands for the error of scikit-learn without it."""


class NotFittedError(ConfigurationError, _NotFittedError):  # type: ignore[misc]  # scikit-learn ships no types
    """An estimator is asked for what `fit` finds."""
