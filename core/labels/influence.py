"""How much designs use a latent: what the reading of their pictures loses without it.

A picture is read by two readers (`core.properties.PropertyModel.read`): by its latents, and by what
is measured in it. A latent acts through both, through the second by what its traversals move.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from core.properties import PropertyModel
from core.regressor import Regressor

LEAST_INFLUENCE = 0.1  # half widths: below it a latent is not used for design

Array = NDArray[np.float64]


def influences(
    properties: PropertyModel,
    means: Array,
    specimens: Sequence[str],
    slopes: Mapping[str, Array],
) -> Array | None:
    """Measure what each latent contributes to the properties that designs are read for.

    A latent is replaced by its mean over the specimens, and what is measured in them is moved
    along; what counts is the change of the properties read over the half widths of their 90 %
    intervals, root mean square over specimens, of the property that changes most. Below
    `LEAST_INFLUENCE` nobody could tell a design with from one without it.

    Args:
        properties: predicts properties from mean latents and from measured structure.
        means: (S, D) mean latents of the specimens.
        specimens: their names.
        slopes: descriptor -> its change per unit of each latent, (D,), in the descriptor's unit, as
            traversals have it: every effect, clear or not, 0 where none was measured. What the
            structure's reader does not take is not used.

    Returns:
        (D,); None where no property has an interval to measure changes by.
    """
    known = [one for one in properties.regressors if one.half_width]
    if not known:
        return None
    before = properties.predict_many(means)
    found = np.zeros(means.shape[1])
    for latent in range(means.shape[1]):
        moves = means[:, latent].mean() - means[:, latent]
        without = means.copy()
        without[:, latent] += moves
        after = properties.predict_many(without)
        by_name = dict(zip(specimens, moves, strict=True))
        for one in known:
            shares, half = properties.shares(one.column), float(one.half_width or 0.0)
            change = dict(zip(specimens, after[one.column] - before[one.column], strict=True))
            if shares is not None and properties.structure is not None:
                other = properties.structure.regressor(one.column)
                half = min(half, float(other.half_width or 0.0))
                inputs = [slopes.get(name) for name in properties.structure.inputs]
                step = np.array([0.0 if slope is None else slope[latent] for slope in inputs])
                moved = _moved(other, by_name, step / properties.structure.scale)
                change = {n: shares[0] * change[n] + shares[1] * m for n, m in moved.items()}
            value = dict(zip(specimens, before[one.column], strict=True))
            sizes = [abs(value[name]) if one.relative else 1.0 for name in change]
            parts = np.array(list(change.values())) / (half * np.array(sizes))
            found[latent] = max(found[latent], float(np.sqrt(np.mean(parts**2))))
    return found


def _moved(other: Regressor, moves: Mapping[str, float], step: Array) -> dict[str, float]:
    """Return by how much what is read from the structure of each specimen changes.

    Args:
        other: reads z-scores of descriptors.
        moves: of the latent, by specimen.
        step: (E,) change of the z-scores per unit of the latent.
    """
    rows = [i for i, name in enumerate(other.specimens) if name in moves]
    names = [other.specimens[i] for i in rows]
    points = other.points[rows]
    moved = points + np.outer([moves[name] for name in names], step)
    return dict(zip(names, (other.values(moved) - other.values(points)).tolist(), strict=True))
