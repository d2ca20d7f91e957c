"""What architectures that were not measured would do, learnt from those that were."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, DotProduct, WhiteKernel
from sklearn.preprocessing import StandardScaler

from zcproxy.search.encoding import Encoder

Array = NDArray[np.float64]

Guide = Callable[[Sequence[str]], Array]
"""Proxy scores of architectures, NaN where they are undefined."""

LENGTHS, NOISES = (0.5, 1.0, 2.0), (1e-3, 1e-2, 1e-1)
"""Length scales as a multiple of the square root of the features, and noise as a share of the variance."""

MOST = 500
"""Measurements that are learnt from, the last ones: the time grows with their cube."""


class Predictor:
    """Gaussian processes on encodings and proxy scores, one a quantity.

    The kernel is a line plus a smooth function; length scale and noise are those of highest marginal likelihood among a
    few (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, section 5.4).

    Args:
        architectures: that were measured.
        values: architectures x quantities; rows with NaN are left out.
        guide: gives the proxy scores; None for encodings alone.
    """

    def __init__(self, architectures: Sequence[str], values: Array, guide: Guide | None) -> None:
        self._guide = guide
        known = np.flatnonzero(np.isfinite(values).all(axis=1))[-MOST:]
        self._encoder = Encoder(architectures)
        features = self._features([architectures[index] for index in known])
        self._scaler = StandardScaler().fit(features)
        self._models = [_fitted(self._scaler.transform(features), quantity) for quantity in values[known].T]

    def __call__(self, architectures: Sequence[str]) -> Array:
        """Return predictions: architectures x quantities."""
        features = self._scaler.transform(self._features(architectures))
        return np.stack([model.predict(features) for model in self._models], axis=1)

    def _features(self, architectures: Sequence[str]) -> Array:
        encoded = self._encoder(architectures)
        if self._guide is None:
            return encoded
        scores = np.arcsinh(self._guide(architectures))  # some proxies span dozens of powers of ten
        defined = scores[np.isfinite(scores)]
        return np.column_stack([encoded, np.where(np.isfinite(scores), scores, defined.min() if len(defined) else 0.0)])


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
