"""What the network needs of the patches, gathered chunk by chunk in bounded memory.

Two passes over the rows: means and variances of every specimen first, then the pooled scatter round
the means. Sums are merged as Chan, Golub and LeVeque (1983, *The American Statistician* 37, 242)
do, so that large counts and means far from zero lose no digits; the result does not depend on how
the rows are cut into chunks, beyond rounding.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from bayesnet.gaussian import Array, Index
from core.errors import InputError

Chunks = Callable[[], Iterable[Any]]  # each call yields all rows anew: mu, specimen, file, corner


@dataclass(frozen=True, slots=True)
class PatchStatistics:
    """Statistics of every specimen's patches.

    Attributes:
        names: (S,) specimens that have patches, sorted.
        counts: (S,) patches.
        means: (S, D) of mu.
        squares: (S, D) sums of squares about the specimen's mean.
        independent: (S,) patches that carry independent pixels, see `union_patches`.
    """

    names: tuple[str, ...]
    counts: Array
    means: Array
    squares: Array
    independent: Array

    def of(self, names: list[str]) -> "PatchStatistics":
        """Return the statistics of these specimens alone, in this order."""
        place = {name: i for i, name in enumerate(self.names)}
        at = np.array([place[name] for name in names], dtype=int)
        return PatchStatistics(
            tuple(names), self.counts[at], self.means[at], self.squares[at], self.independent[at]
        )

    def variance(self) -> Array:
        """Variance (D,) of mu over all patches."""
        total = self.counts.sum()
        mean = self.counts @ self.means / total
        spread = self.counts @ (self.means - mean) ** 2
        result: Array = (self.squares.sum(axis=0) + spread) / total
        return result


def gather(chunks: Chunks, patch_px: int) -> PatchStatistics:
    """Gather every specimen's statistics in one pass.

    Raises:
        InputError: latents that are not a finite table, or no rows.
    """
    found: dict[str, tuple[int, Array, Array]] = {}
    cells: dict[tuple[str, str], Index] = {}
    for chunk in chunks():
        mu, owner, names = _checked(chunk)
        counts = np.bincount(owner, minlength=len(names)).astype(float)
        members = _members(owner, len(names))
        means = (members @ mu) / counts[:, None]
        squares = members @ (mu - means[owner]) ** 2
        for i, name in enumerate(names):
            one = (int(counts[i]), means[i], squares[i])
            found[name] = _merged(found[name], one) if name in found else one
        _note_cells(cells, chunk, owner, names, patch_px)
    if not found:
        raise InputError("latents must be a finite (N, D) table with one specimen name a row")
    names = sorted(found)
    areas = dict.fromkeys(names, 0.0)
    for (name, _), corners in cells.items():
        areas[name] += union_patches(corners, patch_px)
    counts = np.array([found[name][0] for name in names], dtype=float)
    area = np.array([areas[name] for name in names])
    return PatchStatistics(
        tuple(names),
        counts,
        np.stack([found[name][1] for name in names]),
        np.stack([found[name][2] for name in names]),
        np.minimum(np.maximum(area, 1.0), counts),
    )


def pooled_scatter(chunks: Chunks, statistics: PatchStatistics, active: Index) -> Array:
    """Return the pooled covariance (A, A) of patches about their specimen's mean.

    Shrunk as `sklearn.covariance.ledoit_wolf` does with centred data (Ledoit and Wolf 2004,
    *Journal of Multivariate Analysis* 88, 365), from sums over the rows; rows of specimens that
    ``statistics`` does not have are left out.
    """
    place = {name: i for i, name in enumerate(statistics.names)}
    size, rows = active.size, 0
    product, fourth = np.zeros((size, size)), 0.0
    for chunk in chunks():
        mu, owner, names = _checked(chunk)
        at = np.array([place.get(name, -1) for name in names])[owner]
        kept = at >= 0
        spread = mu[kept][:, active] - statistics.means[at[kept]][:, active]
        product += spread.T @ spread
        fourth += float(((spread**2).sum(axis=1) ** 2).sum())
        rows += len(spread)
    cov = product / rows
    level = np.trace(cov) / size
    squared = float((cov**2).sum())
    beta = (fourth / rows - squared) / (size * rows)
    delta = (squared - 2 * level * np.trace(cov) + size * level**2) / size
    beta = min(beta, delta)
    share = beta / delta if beta > 0 else 0.0
    degrees = max(rows - len(statistics.names), 1)
    result: Array = ((1 - share) * cov + share * level * np.eye(size)) * rows / degrees
    return result


def union_patches(corners: Index, patch_px: int) -> float:
    """Return the area that patches cover together, in patches; not yet limited to their number.

    Args:
        corners: (n, 2) row and column of the patches' upper left pixels, in cells of a sixteenth
            of a patch.
        patch_px: side of a patch.
    """
    step = max(patch_px // 16, 1)
    side = patch_px // step
    corners = corners - corners.min(axis=0)
    edges = np.zeros(corners.max(axis=0) + side + 1, dtype=np.int64)  # summed up twice: cover
    for down, right, sign in ((0, 0, 1), (side, 0, -1), (0, side, -1), (side, side, 1)):
        np.add.at(edges, (corners[:, 0] + down, corners[:, 1] + right), sign)
    covered = edges.cumsum(axis=0).cumsum(axis=1) > 0
    return float(covered.sum()) * step**2 / patch_px**2


def _checked(chunk: Any) -> tuple[Array, Index, list[str]]:
    """Return mu (n, D) in float64, the rows' specimens (n,) as numbers, and their names."""
    mu = np.asarray(chunk.mu, dtype=np.float64)
    owner = np.asarray(chunk.specimen)
    if mu.ndim != 2 or len(mu) != len(owner) or not np.isfinite(mu).all():
        raise InputError("latents must be a finite (N, D) table with one specimen name a row")
    numbers, names = pd.factorize(owner)
    return mu, np.asarray(numbers, dtype=np.intp), [str(name) for name in names]


def _members(owner: Index, count: int) -> csr_array:
    """Return the (S, n) matrix of ones that sums up the rows of each specimen."""
    ones = np.ones(len(owner))
    return csr_array((ones, (owner, np.arange(len(owner)))), shape=(count, len(owner)))


def _merged(a: tuple[int, Array, Array], b: tuple[int, Array, Array]) -> tuple[int, Array, Array]:
    count = a[0] + b[0]
    gap = b[1] - a[1]
    return count, a[1] + gap * b[0] / count, a[2] + b[2] + gap**2 * (a[0] * b[0] / count)


def _note_cells(
    cells: dict[tuple[str, str], Index],
    chunk: Any,
    owner: Index,
    names: list[str],
    patch_px: int,
) -> None:
    """Keep where each file's patches lie, each place once."""
    step = max(patch_px // 16, 1)
    corner = np.asarray(chunk.corner) // step
    numbers, files = pd.factorize(np.asarray(chunk.file))
    pairs = owner * len(files) + numbers
    for pair in np.unique(pairs):
        key = names[pair // len(files)], str(files[pair % len(files)])
        places = np.unique(corner[pairs == pair], axis=0)
        if key in cells:
            places = np.unique(np.vstack([cells[key], places]), axis=0)
        cells[key] = places
