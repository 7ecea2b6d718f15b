"""How independent latents are over the data, and how much dimensions and descriptors entangle."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from core.labels.naming import Effect
from core.labels.quantities import QUANTITIES, column_of

SIGNIFICANT = 0.05
COUNT, SIZES = "particles_per_mm2", ("diameter_um", "correlation_length_um")

Array = NDArray[np.float64]


def independence(latents: Array, names: Sequence[str]) -> dict[str, Any]:
    """Sum up the correlations of latents over data.

    Args:
        latents: (N, A) of patches or of specimens' means.
        names: (A,) of the latents.

    Returns:
        Mean, 95 % quantile and largest absolute correlation with its pair, and the effective
        number of dimensions of the correlation matrix R, (tr R)^2 / tr R^2: A where all are
        independent, 1 where all go together. None for a single latent.
    """
    count = latents.shape[1]
    if count < 2 or len(latents) < 3:
        return {"correlation_abs": None, "most_correlated": None, "effective_dimensions": None}
    matrix: Array = np.atleast_2d(np.corrcoef(latents.T))
    rows, columns = np.triu_indices(count, 1)
    off = matrix[rows, columns]
    largest = int(np.abs(off).argmax())
    return {
        "correlation_abs": {
            "mean": float(np.abs(off).mean()),
            "p95": float(np.quantile(np.abs(off), 0.95)),
            "max": float(np.abs(off).max()),
        },
        "most_correlated": {
            "pair": [names[rows[largest]], names[columns[largest]]],
            "correlation": float(off[largest]),
        },
        "effective_dimensions": float(count**2 / np.sum(matrix**2)),
    }


def importance(effects: Sequence[Sequence[Effect]]) -> Array:
    """Return absolute standardised effects that recur, (dimensions, Q); 0 for the others."""
    found = np.zeros((len(effects), len(QUANTITIES)))
    for row, some in enumerate(effects):
        for effect in some:
            if effect.recurs:
                found[row, column_of(effect.quantity)] = abs(effect.standardised)
    return found


def disentanglement(matrix: Array) -> float | None:
    """Return how far each dimension moves one descriptor only, 0 to 1.

    One less the entropy (base: number of descriptors) of each row's shares, weighted by the rows'
    sums (Eastwood and Williams 2018, A Framework for the Quantitative Evaluation of Disentangled
    Representations, section 2; R there is the importance of latents in predicting, here it is the
    traversals' effects). The transposed matrix gives their *completeness*: how far each descriptor
    is moved by one dimension only.

    Args:
        matrix: (dimensions, descriptors) not negative.

    Returns:
        None where the matrix is all zeros or has one column only.

    Example:
        >>> disentanglement(np.eye(3)), disentanglement(np.ones((2, 2)))
        (1.0, 0.0)
    """
    total = float(matrix.sum())
    if total == 0 or matrix.shape[1] < 2:
        return None
    rows = matrix[matrix.sum(axis=1) > 0]
    shares = rows / rows.sum(axis=1, keepdims=True)
    one = 1 - stats.entropy(shares, base=matrix.shape[1], axis=1)
    return float(np.sum(one * rows.sum(axis=1)) / total)


def entanglement(effects: Sequence[Sequence[Effect]]) -> dict[str, Any]:
    """Count what moves what, with disentanglement and completeness of the recurring effects."""
    matrix = importance(effects)
    moved = matrix > 0
    return {
        "descriptors_a_dimension": float(moved.sum(axis=1).mean()) if len(moved) else 0.0,
        "dimensions_a_descriptor": {
            quantity.name: int(moved[:, place].sum()) for place, quantity in enumerate(QUANTITIES)
        },
        "disentanglement": disentanglement(matrix),
        "completeness": disentanglement(matrix.T),
    }


def against_each_other(effects: Sequence[Effect]) -> bool | None:
    """Say whether a direction makes particles larger and fewer, or smaller and more.

    Returns:
        None where no effect on the count, or none on size (diameter, coarseness), recurs; False
        also where one of the sizes goes with the count.
    """
    moves = {effect.quantity: effect.standardised for effect in effects if effect.recurs}
    sizes = [moves[name] for name in SIZES if name in moves]
    if COUNT not in moves or not sizes:
        return None
    return all(size * moves[COUNT] < 0 for size in sizes)


def size_and_sparsity(
    dimensions: Mapping[str, Sequence[Effect]],
    directions: Mapping[str, Sequence[Effect]],
    specimens: Array,
) -> dict[str, Any]:
    """Ask whether large particles come with few, as the paper says (section 4.3).

    Args:
        dimensions, directions: name -> effects, of latents and of principal directions.
        specimens: (S, Q) descriptors of training specimens.

    Returns:
        Spearman's correlation of particle diameter and count with its p over specimens, and of the
        latents' standardised effects on the two; the latents and directions that move size and
        count, and those of them that move them against each other (`against_each_other`); and
        whether it shows: over the specimens, and either over the latents, both with p below 0.05,
        or along a principal direction.
    """
    pairs = []
    for some in dimensions.values():
        moves = {effect.quantity: effect.standardised for effect in some}
        if SIZES[0] in moves and COUNT in moves:
            pairs.append((moves[SIZES[0]], moves[COUNT]))
    data = _spearman(specimens[:, column_of(SIZES[0])], specimens[:, column_of(COUNT)])
    latents = _spearman(*np.array(pairs, dtype=float).reshape(-1, 2).T)
    judged = {name: against_each_other(some) for name, some in {**dimensions, **directions}.items()}
    opposite = [name for name, found in judged.items() if found]
    along = any(name in directions for name in opposite)
    return {
        "over_specimens": data,
        "over_dimensions": latents,
        "move_both": [name for name, found in judged.items() if found is not None],
        "against_each_other": opposite,
        "shows": _negative(data) and (_negative(latents) or along),
    }


def _negative(found: Mapping[str, float] | None) -> bool:
    return found is not None and found["correlation"] < 0 and found["p"] < SIGNIFICANT


def _spearman(a: Array, b: Array) -> dict[str, float] | None:
    known = np.isfinite(a) & np.isfinite(b)
    a, b = a[known], b[known]
    if len(a) < 4 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    found = stats.spearmanr(a, b)
    return {"correlation": float(found.statistic), "p": float(found.pvalue), "n": len(a)}
