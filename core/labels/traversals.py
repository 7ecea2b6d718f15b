"""Traversals to be measured: where they start, along what they go, what comes out.

Along a traversal the decoder's noise stays the same, so that only z differs (common random
numbers): effects are differences within a start, and how starts differ does not blur them.
"""

import logging
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.encode import LatentTable
from core.errors import ConfigError, InputError
from core.labels.kept import Kept
from core.labels.quantities import QUANTITIES, measure_picture
from core.summaries import specimen_means
from core.traverse import place_along

SETS = 2  # of starts, of different specimens: what one finds the other must confirm
AHEAD = 8  # traversals decoded before they are measured, at most
logger = logging.getLogger(__name__)

Array = NDArray[np.float64]
Decode = Callable[[NDArray[np.float32], int], NDArray[np.float32]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How latents are traversed.

    Attributes:
        values: what a latent is set to.
        starts: patches that traversals start from, in each of the two sets.
        size_px: side of the fields synthesised.
        specimens: measured at most, for the spread of the descriptors.
        directions: principal directions of the specimens' means, beside the latents.
        seed: of the choice of starts and of the noise.
    """

    values: tuple[float, ...] = (-4.0, -4 / 3, 4 / 3, 4.0)
    starts: int = 16
    size_px: int = 192
    specimens: int = 48
    directions: int = 6
    seed: int = 0

    def __post_init__(self) -> None:
        if len(self.values) < 3 or np.any(np.diff(self.values) <= 0):
            raise ConfigError(f"values are {self.values}: at least three, rising, are needed")
        for name, low, high in (
            ("starts", 3, 1000),
            ("size_px", 64, 1024),
            ("specimens", 4, 100_000),
            ("directions", 0, 1000),
            ("seed", 0, 2**31),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ConfigError(f"{name} is {value}; {low} to {high} is allowed")
        if self.size_px % 32:
            raise ConfigError(f"size_px is {self.size_px}: it must be a multiple of 32")

    @property
    def span(self) -> float:
        """How far a traversal goes, in units of z."""
        return self.values[-1] - self.values[0]


def principal_directions(means: Array, count: int) -> tuple[Array, Array]:
    """Return what distinguishes specimens: principal directions of their mean latents (S, D).

    Returns:
        Unit vectors (K, D), each with a positive largest entry, and the share of the variance
        between specimens that each explains, (K,); K is ``count`` or what there is.
    """
    centred = means - means.mean(axis=0)
    _, singular, vectors = np.linalg.svd(centred, full_matrices=False)
    rank = int(np.sum(singular > 1e-6 * max(singular[0], 1e-12)))
    kept = vectors[: min(count, rank)]
    largest = kept[np.arange(len(kept)), np.abs(kept).argmax(axis=1)]
    shares = singular**2 / max(float(np.sum(singular**2)), 1e-12)
    return kept * np.sign(largest)[:, None], shares[: len(kept)]


def choose_starts(table: LatentTable, starts: int, seed: int) -> NDArray[np.int64]:
    """Choose patches to start from: two sets of different specimens, each spread over all looks.

    Specimens are ordered along their first principal direction and dealt to the two sets in turn;
    each set takes evenly spaced ones, and of each a patch at random.

    Args:
        table: latents of the data set.
        starts: in each set.
        seed: of the choice of patches.

    Returns:
        (2, starts) rows of the table.

    Raises:
        InputError: fewer than four specimens.
    """
    names, index = np.unique(table.specimen, return_inverse=True)
    if len(names) < 2 * SETS:
        raise InputError(
            f"{len(names)} specimens: naming latents needs at least {2 * SETS}, for two sets of "
            "starts from different specimens"
        )
    means, _ = specimen_means(table.mu, table.specimen)
    along, _ = principal_directions(means, 1)
    order = np.argsort(means @ along[0]) if len(along) else np.arange(len(names))
    rng = np.random.default_rng(seed)
    chosen = np.empty((SETS, starts), dtype=np.int64)
    for which in range(SETS):
        dealt = order[which::SETS]
        places = (np.arange(starts) + 0.5) * len(dealt) / starts
        for number, specimen in enumerate(dealt[places.astype(int)]):
            chosen[which, number] = rng.choice(np.flatnonzero(index == specimen))
    return chosen


def measure_traversals(
    decode: Decode,
    starts: NDArray[np.floating],
    vectors: Array,
    plan: Plan,
    um_per_px: float,
    kept: Kept | None = None,
) -> Array:
    """Traverse every direction from every start and measure the pictures.

    Args:
        decode: latents (V, D) and a seed of the noise to pictures (V, H, W).
        starts: (2, n, D) latents.
        vectors: (K, D) unit vectors: of a latent, one entry is 1.
        plan: values, size, seed.
        um_per_px: scale of the pictures.
        kept: where finished directions are kept, and taken from; None for nowhere.

    Returns:
        (K, 2, n, V, Q); NaN where there was nothing to measure.
    """
    sets, count = starts.shape[:2]
    found = np.full((len(vectors), sets, count, len(plan.values), len(QUANTITIES)), np.nan)
    pending: deque[tuple[tuple[int, int, int], Future[Array]]] = deque()

    def collect(most: int) -> None:
        while len(pending) > most:
            place, future = pending.popleft()
            found[place] = future.result()

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for k, vector in enumerate(vectors):
            known = kept.get(starts, vector, found.shape[1:]) if kept else None
            if known is not None:
                found[k] = known
                continue
            for which in range(sets):
                for number in range(count):
                    z = place_along(starts[which, number], vector, plan.values)
                    pictures = decode(z, plan.seed + which * count + number)
                    future = pool.submit(_measure_all, pictures, um_per_px)
                    pending.append(((k, which, number), future))
                    collect(AHEAD)
            collect(0)
            if kept:
                kept.put(starts, vector, found[k])
            logger.info("direction %d of %d", k + 1, len(vectors))
    return found


def _measure_all(pictures: NDArray[np.float32], um_per_px: float) -> Array:
    return np.stack([measure_picture(picture, um_per_px) for picture in pictures])
