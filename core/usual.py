"""How far pictures lie from those that a model has learned from, in one space of vectors.

A specimen differs from the mean of all (covariance B between specimens) and a patch of it from the
specimen (covariance W within). The mean of n patches that do not overlap then has the covariance
B + W / n, whose Mahalanobis distance means the same for one patch and for many, for small
micrographs and large ones. W and the covariance of specimen means are shrunk (Ledoit and Wolf 2004,
*J. Multivariate Analysis* 88, 365), and both are made diagonal at once. What principal components
leave over of long vectors counts as one more coordinate, its logarithm: foreign pictures differ
most in directions that the data do not have (Jackson and Mudholkar 1979, *Technometrics* 21, 341).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import LedoitWolf

from core.errors import InputError

LEAST_SPREAD = 0.01  # of the mean spread: what hardly varies must not be blown up
CLIP = 30.0  # spreads; farther is foreign, and how far says no more
LEAST_RESIDUAL = 1e-6  # against the logarithm of nothing

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class UsualSpace:
    """Where the vectors of usual patches lie; d entries a vector, c coordinates.

    Attributes:
        centre, spread: (d,), by which vectors are standardised.
        components: (k, d) principal components of standardised vectors.
        offset: (c,) mean coordinates; c is k, or k + 1 with what the components leave over.
        axes: (c, c) from coordinates to axes on which W is the identity and B diagonal.
        between: (c,) B on these axes.
    """

    centre: Array
    spread: Array
    components: Array
    offset: Array
    axes: Array
    between: Array

    def __post_init__(self) -> None:
        (components, length), coordinates = self.components.shape, len(self.offset)
        shapes = (
            self.centre.shape == self.spread.shape == (length,)
            and coordinates - components in (0, 1)
            and self.axes.shape == (coordinates, coordinates)
            and self.between.shape == self.offset.shape == (coordinates,)
        )
        values = (getattr(self, name) for name in self.__slots__)
        if not shapes or not all(np.isfinite(value).all() for value in values):
            raise InputError("a space of usual pictures has shapes that do not fit, or no numbers")
        if (self.spread <= 0).any() or (self.between < 0).any():
            raise InputError("a space of usual pictures has negative variances")

    def standardise(self, vectors: NDArray[np.floating]) -> Array:
        """Return vectors (N, d) in spreads from the centre."""
        standard: Array = ((vectors - self.centre) / self.spread).clip(-CLIP, CLIP)
        return standard

    def distance(self, vectors: NDArray[np.floating], independent: int) -> float:
        """Return how far the patches of one picture lie from the usual ones.

        Args:
            vectors: (N, d), one a patch.
            independent: how many of them do not overlap.

        Returns:
            Root mean square over the axes, in deviations: about 1 for a usual picture.
        """
        found = _coordinates(self.standardise(vectors), self.components, len(self.offset))
        z = self.axes @ (found.mean(axis=0) - self.offset)
        return float(np.sqrt(np.mean(z**2 / (self.between + 1 / independent))))


def fit_usual(
    vectors: NDArray[np.floating], specimen: NDArray, components: int | None = None
) -> UsualSpace:
    """Learn where usual patches lie.

    Args:
        vectors: (N, d), one a patch.
        specimen: (N,) names.
        components: how many principal components to keep, at most; None for all coordinates, for
            short vectors.

    Raises:
        InputError: fewer than three specimens.
    """
    names, index = np.unique(specimen, return_inverse=True)
    if len(names) < 3:
        raise InputError(f"{len(names)} specimens: what is usual needs at least three")
    centre, spread = vectors.mean(axis=0, dtype=float), vectors.std(axis=0, dtype=float)
    spread = np.maximum(spread, max(LEAST_SPREAD * spread.mean(), 1e-12))
    standard = ((vectors - centre) / spread).clip(-CLIP, CLIP)
    basis = np.eye(vectors.shape[1])
    if components is not None:
        basis = np.linalg.svd(standard - standard.mean(axis=0), full_matrices=False)[2]
        # As many as specimens would leave nothing over of any of them.
        basis = basis[: min(components, len(names) - 2, len(basis))]
    found = _coordinates(standard, basis, len(basis) + (components is not None))
    counts = np.bincount(index)
    means = np.stack([found[index == i].mean(axis=0) for i in range(len(names))])
    within = _within(found, means, index, counts)
    total = LedoitWolf().fit(means).covariance_
    between = total - within * np.mean(1 / counts)
    whiten = np.linalg.cholesky(np.linalg.inv(within)).T
    variances, turn = np.linalg.eigh(whiten @ between @ whiten.T)
    parts = (centre, spread, basis, means.mean(axis=0), turn.T @ whiten, variances.clip(min=0))
    # As they will be stored, so that a space measures the same before and after.
    return UsualSpace(*(part.astype(np.float32).astype(float) for part in parts))


def _within(found: Array, means: Array, index: NDArray[np.intp], counts: NDArray) -> Array:
    """Return W (c, c); the covariance of all patches where no specimen has two."""
    several = counts[index] > 1
    if not several.any():
        covariance: Array = LedoitWolf().fit(found).covariance_
        return covariance
    # Differences from a mean over n patches are too small by (n - 1) / n.
    inflate = np.sqrt(counts / np.maximum(counts - 1, 1))[index][several, None]
    residuals = (found - means[index])[several] * inflate
    covariance = LedoitWolf(assume_centered=True).fit(residuals).covariance_
    return covariance


def _coordinates(standard: Array, components: Array, count: int) -> Array:
    """Return (N, count): principal components, and the logarithm of what they leave over."""
    scores: Array = standard @ components.T
    if count == len(components):
        return scores
    left = np.square(standard).sum(axis=1) - np.square(scores).sum(axis=1)
    return np.column_stack([scores, np.log(np.maximum(left, LEAST_RESIDUAL))])
