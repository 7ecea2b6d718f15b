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
    if not np.all(np.isfinite(values)):
        raise InputError(f"latent values must be finite, not {list(values)}")
    changed = np.repeat(np.asarray(z, dtype=np.float32)[None], len(values), axis=0)
    changed[:, dimension] = values
    return decode_many(loaded, changed, size_px, size_px, seed)
