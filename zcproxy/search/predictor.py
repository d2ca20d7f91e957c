"""Predictor of the quantities of architectures that were not measured, fitted to those that were."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, DotProduct, WhiteKernel
from sklearn.preprocessing import StandardScaler

from zcproxy.search.encoding import Encoder

Array = NDArray[np.float64]

Hints = Callable[[Sequence[str]], Array]
"""Hints besides the encoding, architectures x hints: proxy scores, costs; NaN where undefined."""

LENGTHS, NOISES = (0.5, 1.0, 2.0), (1e-3, 1e-2, 1e-1)
"""Length scales as a multiple of the square root of the features, and noise as a share of the variance."""

MOST = 500
"""Measurements that are learnt from, the last ones: the time grows with their cube."""


class Predictor:
    """Gaussian processes on encodings, costs and proxy scores, one per quantity.

    The kernel is a line plus a smooth function; length scale and noise are those of highest marginal likelihood among a
    few (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, section 5.4).

    Args:
        architectures: those that were measured.
        values: architectures x quantities; rows with NaN are left out.
        hints: what else is known of architectures; their arcsinh is a feature.
        others: architectures that were not measured. Features are standardised over these and the measured ones:
            where only the best of a ranking were measured, what is common elsewhere would seem far away.
    """

    def __init__(self, architectures: Sequence[str], values: Array, hints: Hints, others: Sequence[str] = ()) -> None:
        self._hints = hints
        known = np.flatnonzero(np.isfinite(values).all(axis=1))[-MOST:]
        everything = [*architectures, *others]
        self._encoder = Encoder(everything)
        features = self._features(everything)
        self._scaler = StandardScaler().fit(features)
        learnt = self._scaler.transform(features[known])
        self._models = [_fitted(learnt, quantity) for quantity in values[known].T]

    def __call__(self, architectures: Sequence[str]) -> tuple[Array, Array]:
        """Return predictions and their standard deviations: architectures x quantities each."""
        features = self._scaler.transform(self._features(architectures))
        found = [model.predict(features, return_std=True) for model in self._models]
        return np.stack([mean for mean, _ in found], axis=1), np.stack([spread for _, spread in found], axis=1)

    def _features(self, architectures: Sequence[str]) -> Array:
        hints = np.arcsinh(self._hints(architectures))  # some proxies span dozens of powers of ten
        known = np.where(np.isfinite(hints), hints, np.nan)
        lowest = np.nan_to_num(np.fmin.reduce(known, axis=0))
        return np.column_stack([self._encoder(architectures), np.where(np.isnan(known), lowest, known)])


def _fitted(features: Array, targets: Array) -> GaussianProcessRegressor:
    width = np.sqrt(features.shape[1])
    models = [
        GaussianProcessRegressor(
            RBF(length * width) + 1 / width**2 * DotProduct(1.0) + WhiteKernel(noise), optimizer=None, normalize_y=True
        ).fit(features, targets)
        for length in LENGTHS
        for noise in NOISES
    ]
    return max(models, key=lambda model: model.log_marginal_likelihood_value_)
