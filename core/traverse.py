"""Latent traversals (paper, section 4.3 and figure 6)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.checkpoint import LoadedModel
from core.errors import InputError
from core.synthesis import decode_many

# The paper's ten equally spaced values.
PAPER_VALUES = tuple(float(v) for v in np.linspace(-4.0, 4.0, 10))


def traverse(
    loaded: LoadedModel,
    z: NDArray[np.floating],
    dimension: int,
    values: Sequence[float] = PAPER_VALUES,
    seed: int = 0,
    size_px: int = 128,
) -> NDArray[np.float32]:
    """Decode z with one dimension set to each of ``values``, all others unchanged.

    The decoder's noise is the same for every picture, so that only z changes along the row.

    Args:
        loaded: the model.
        z: (D,) the starting latents.
        dimension: which latent, 0 to D - 1.
        values: what it is set to; the paper's linspace(-4, 4, 10) by default.
        seed: of the decoder's noise.
        size_px: side of the pictures.

    Returns:
        (len(values), size_px, size_px) in [0, 1].

    Raises:
        InputError: the dimension does not exist or a value is not finite.
    """
    if not 0 <= dimension < len(z):
        raise InputError(f"latent {dimension} does not exist: there are 0 to {len(z) - 1}")
    vector = np.zeros(len(z))
    vector[dimension] = 1.0
    return traverse_along(loaded, z, vector, values, seed, size_px)


def traverse_along(
    loaded: LoadedModel,
    z: NDArray[np.floating],
    vector: NDArray[np.floating],
    values: Sequence[float] = PAPER_VALUES,
    seed: int = 0,
    size_px: int = 128,
) -> NDArray[np.float32]:
    """Decode z moved along a direction, see `place_along`; the noise as in `traverse`.

    Returns:
        (len(values), size_px, size_px) in [0, 1].

    Raises:
        InputError: a value is not finite or the direction is no unit vector.
    """
    return decode_many(loaded, place_along(z, vector, values), size_px, size_px, seed)


def place_along(
    z: NDArray[np.floating], vector: NDArray[np.floating], values: Sequence[float]
) -> NDArray[np.float32]:
    """Set z's coordinate along a direction to each of some values; what is across stays.

    Args:
        z: (D,) latents.
        vector: (D,) unit vector; for a single latent, one entry is 1 and the others 0.
        values: of the coordinate, the scalar product of z and the vector.

    Returns:
        (len(values), D).

    Raises:
        InputError: a value is not finite or the direction is no unit vector of D entries.

    Example:
        >>> place_along(np.array([5.0, 7.0]), np.array([0.0, 1.0]), (-4.0, 4.0)).tolist()
        [[5.0, -4.0], [5.0, 4.0]]
    """
    if not np.all(np.isfinite(values)):
        raise InputError(f"latent values must be finite, not {list(values)}")
    along = np.asarray(vector, dtype=float)
    if along.shape != np.shape(z) or not abs(float(along @ along) - 1) < 1e-3:
        raise InputError(f"a unit vector of {len(z)} entries is needed, not {along.shape}")
    start = np.asarray(z, dtype=float)
    step = np.asarray(values, dtype=float) - start @ along
    return (start + step[:, None] * along).astype(np.float32)
