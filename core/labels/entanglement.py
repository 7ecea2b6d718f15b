"""How independent latents are over the data, and how much dimensions and descriptors entangle."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from core.labels.naming import Effect
from core.labels.quantities import QUANTITIES, column_of

SIGNIFICANT = 0.05

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


def size_and_sparsity(effects: Sequence[Sequence[Effect]], specimens: Array) -> dict[str, Any]:
    """Ask whether large particles come with few, as the paper says (section 4.3).

    Args:
        effects: of each dimension.
        specimens: (S, Q) descriptors of training specimens.

    Returns:
        Spearman's correlation of particle size and count with its p over specimens, and of the
        dimensions' standardised effects on the two; of the dimensions that move both (recurring),
        how many move them against each other; and whether it shows: both correlations negative,
        p below 0.05.
    """
    size, count = column_of("diameter_um"), column_of("particles_per_mm2")
    pairs, opposite, both = [], 0, 0
    for some in effects:
        named = {effect.quantity: effect for effect in some}
        if "diameter_um" not in named or "particles_per_mm2" not in named:
            continue
        a, b = named["diameter_um"], named["particles_per_mm2"]
        pairs.append((a.standardised, b.standardised))
        if a.recurs and b.recurs:
            both += 1
            opposite += a.standardised * b.standardised < 0
    data = _spearman(specimens[:, size], specimens[:, count])
    latents = _spearman(*np.array(pairs, dtype=float).reshape(-1, 2).T)
    return {
        "over_specimens": data,
        "over_dimensions": latents,
        "dimensions_that_move_both": both,
        "of_these_against_each_other": opposite,
        "shows": all(
            found is not None and found["correlation"] < 0 and found["p"] < SIGNIFICANT
            for found in (data, latents)
        ),
    }


def _spearman(a: Array, b: Array) -> dict[str, float] | None:
    known = np.isfinite(a) & np.isfinite(b)
    a, b = a[known], b[known]
    if len(a) < 4 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    found = stats.spearmanr(a, b)
    return {"correlation": float(found.statistic), "p": float(found.pvalue), "n": len(a)}
