"""How well labels hold in a second set of starts, and whether what designs use has one."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.labels.influence import LEAST_INFLUENCE
from core.labels.labels import Direction
from core.labels.naming import thinned


def stability(directions: Sequence[Direction]) -> dict[str, Any]:
    """Say how well what one set of starts finds holds in the other.

    Returns:
        Number of directions, and of those with a label; share whose label would be the very same
        from each set alone; of the directions in which the first set alone finds something clear:
        their number, the share whose strongest effect the second set alone finds clear too, and
        the share of all those effects.
    """
    same, strongest_again, again = [], [], []
    for direction in directions:
        first, second = direction.set_clear
        same.append(set(thinned(first)) == set(thinned(second)))
        again += [effect in second for effect in first]
        strongest_again += [effect in second for effect in first[:1]]
    return {
        "directions": len(directions),
        "labelled": sum(bool(direction.named) for direction in directions),
        "same_label": _mean(same),
        "found_by_first_set": len(strongest_again),
        "strongest_effect_survives": _mean(strongest_again),
        "effects_survive": _mean(again),
    }


def used_for_design(dimensions: Sequence[Direction]) -> dict[str, Any] | None:
    """Say which of the latents that designs use have a label; None where use is not known."""
    if any(dimension.influence is None for dimension in dimensions):
        return None
    used = [dimension for dimension in dimensions if dimension.used]
    return {
        "criterion": f"without it, predicted properties change by {LEAST_INFLUENCE:g} of their "
        "90 % half widths or more, root mean square over specimens",
        "used": len(used),
        "labelled": sum(bool(dimension.named) for dimension in used),
        "unlabelled": [dimension.name for dimension in used if not dimension.named],
    }


def _mean(flags: Sequence[bool]) -> float | None:
    return float(np.mean(flags)) if flags else None
