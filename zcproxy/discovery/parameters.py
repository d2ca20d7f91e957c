"""Parameters of an estimator, as scikit-learn reads, sets and copies them; it need not be installed."""

from __future__ import annotations

import inspect
from typing import Any, Self

from zcproxy.discovery.not_fitted import NotFittedError
from zcproxy.errors import ConfigurationError, unknown


class Parameters:
    """The interface of scikit-learn's `BaseEstimator`, over the arguments of `__init__`.

    These are attributes of the same name, as they were given. Fitted attributes end in an underscore.
    """

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the arguments by name.

        Args:
            deep: as in scikit-learn; no argument is an estimator, so that nothing lies deeper.
        """
        return {name: getattr(self, name) for name in _defaults(type(self))}

    def set_params(self, **values: Any) -> Self:
        """Set some of the arguments; they count from the next `fit` on.

        Raises:
            ConfigurationError: there is no such argument.
        """
        known = _defaults(type(self))
        for name in values:
            if name not in known:
                raise ConfigurationError(unknown(f"parameter of {type(self).__name__}", name, known))
        for name, value in values.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        changed = [
            f"{name}={getattr(self, name)!r:.60}"
            for name, default in _defaults(type(self)).items()
            if not _is_same(getattr(self, name), default)
        ]
        return f"{type(self).__name__}({', '.join(changed)})"

    def __sklearn_is_fitted__(self) -> bool:
        return any(name.endswith("_") and not name.startswith("_") for name in vars(self))

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn, which alone calls this, wants to know: labels are needed, inputs are no matrix."""
        from sklearn.utils import InputTags, Tags, TargetTags

        inputs = InputTags(two_d_array=False)
        return Tags(estimator_type=None, target_tags=TargetTags(required=True), input_tags=inputs, no_validation=True)


def check_fitted(estimator: Parameters, method: str) -> None:
    """Raise `NotFittedError` where `fit` was not called, which `method` needs."""
    if not estimator.__sklearn_is_fitted__():
        raise NotFittedError(f"this {type(estimator).__name__} is not fitted: call fit(models, y) before {method}")


def is_plain(value: Any) -> bool:
    """Whether a value is a number, a text, or several of them."""
    if isinstance(value, list | tuple):
        return all(map(is_plain, value))
    return isinstance(value, _PLAIN)


def _defaults(estimator: type) -> dict[str, Any]:
    """Return the arguments of a class with their defaults."""
    arguments = list(inspect.signature(estimator).parameters.values())
    return {argument.name: argument.default for argument in arguments}


def _is_same(value: Any, default: Any) -> bool:
    return value is default or (type(value) is type(default) and isinstance(value, _PLAIN) and value == default)


_PLAIN = (bool, int, float, str, tuple)
