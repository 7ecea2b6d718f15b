"""Labels of a retrained model: its dimensions come in another order and with other signs.

Two models encode the same patches; dimensions are paired such that the absolute correlations of
their latents are largest in total, and a label recurs where the paired dimension, sign turned where
the correlation is negative, has the same.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from core.encode import LatentTable
from core.errors import InputError
from core.labels.labels import Direction, Labels

WELL_MATCHED = 0.5  # absolute correlation


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """Paired dimensions of two models.

    Attributes:
        first, second: (M,) dimensions of the two models.
        correlation: (M,) of the paired latents over the patches; its sign is the pair's.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    correlation: NDArray[np.float64]


def match_dimensions(first: LatentTable, second: LatentTable) -> Match:
    """Pair the dimensions of two models by their latents of the same patches.

    Args:
        first, second: latents of the same data set, encoded with the same stride.

    Returns:
        As many pairs as the smaller model has dimensions, in the order of the first.

    Raises:
        InputError: the tables hold other patches.
    """
    correlation = _between(first, second)
    rows, columns = linear_sum_assignment(-np.abs(correlation))
    return Match(rows, columns, correlation[rows, columns])


def random_matches(first: LatentTable, second: LatentTable, count: int, seed: int) -> list[Match]:
    """Pair the dimensions of two models blindly: what recurs then, recurs by chance.

    Args:
        first, second: as for `match_dimensions`, and refused for the same reasons.
        count: how many pairings.
        seed: of the pairings.
    """
    correlation, rng = _between(first, second), np.random.default_rng(seed)
    least = min(correlation.shape)
    found = []
    for _ in range(count):
        rows, columns = (rng.permutation(n)[:least] for n in correlation.shape)
        found.append(Match(rows, columns, correlation[rows, columns]))
    return found


def _between(first: LatentTable, second: LatentTable) -> NDArray[np.float64]:
    same = (
        first.data_hash == second.data_hash
        and np.array_equal(first.file, second.file)
        and np.array_equal(first.corner, second.corner)
    )
    if not same:
        raise InputError(
            "the two models' latents are of other patches: encode the same data set with both"
        )
    return correlations(first.mu.astype(float), second.mu.astype(float))


def correlations(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (Da, Db) correlations of columns; 0 for a constant one."""
    scaled = []
    for values in (a, b):
        centred = values - values.mean(axis=0)
        norm = np.linalg.norm(centred, axis=0)
        scaled.append(centred / np.where(norm > 0, norm, 1.0))
    return scaled[0].T @ scaled[1]


def recurring_labels(first: Labels, second: Labels, match: Match) -> dict[str, Any]:
    """Say how many labels of a model recur in another.

    Args:
        first, second: labels of the two models.
        match: their paired dimensions, in the same order.

    Returns:
        For all pairs of which both dimensions were traversed, and for those with an absolute
        correlation of at least `WELL_MATCHED`: their number, how many have a label on either side
        and the share of these with the same on both, and, of those whose first has a label, the
        share whose strongest effect the second has too.
    """
    rows = []
    for a, b, correlation in zip(match.first, match.second, match.correlation, strict=True):
        one, other = first.by_index.get(int(a)), second.by_index.get(int(b))
        if one is None or other is None:
            continue
        rows.append((abs(float(correlation)), *recurs(one, other, float(correlation))))
    well = [row for row in rows if row[0] >= WELL_MATCHED]
    found = {"all_pairs": _shares(rows), f"correlated_{WELL_MATCHED:g}_or_more": _shares(well)}
    median = float(np.median([row[0] for row in rows])) if rows else None
    return found | {"median_correlation_abs": median}


def recurs(one: Direction, other: Direction, correlation: float) -> tuple[bool | None, bool | None]:
    """Say whether a direction's name and its strongest effect recur in its counterpart.

    Args:
        one, other: the pair.
        correlation: of the two; where it is negative, the counterpart is turned round.

    Returns:
        Whether both have the same name, None where neither has one; and whether the counterpart
        clearly has the strongest effect of the first, None where that has no name.
    """
    turn = -1 if correlation < 0 else 1
    turned = {(name, sign * turn) for name, sign in other.named}
    clear = {(e.quantity, turn * (1 if e.slope > 0 else -1)) for e in other.effects if e.clear}
    same = set(one.named) == turned if one.named or turned else None
    return same, one.named[0] in clear if one.named else None


def _shares(rows: list[tuple[float, bool | None, bool | None]]) -> dict[str, float | int | None]:
    same = [row[1] for row in rows if row[1] is not None]
    labelled = [row[2] for row in rows if row[2] is not None]
    return {
        "pairs": len(rows),
        "labelled_on_either_side": len(same),
        "same_label": float(np.mean(same)) if same else None,
        "labelled": len(labelled),
        "strongest_effect_recurs": float(np.mean(labelled)) if labelled else None,
    }
