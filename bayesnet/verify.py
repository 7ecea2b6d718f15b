"""The oracle: cast a recommendation with the synthetic generator and test it.

For the reference castings only, and for checking only: design, ranking and refinement never import
this module (a test asserts it).
"""

from collections.abc import Mapping

import numpy as np

from core.castings import PROCESS_RANGE, ProcessSettings, Strengths, make_casting
from core.errors import InputError


def cast_again(settings: Mapping[str, float], seed: int, n_fields: int = 2) -> Strengths:
    """Return the strengths, before test scatter, of a casting made with these settings.

    Args:
        settings: mg_wt, radius_mm, ce_pct, as recommended by `bayesnet.query.most_probable`.
        seed: of the casting.
        n_fields: 640 px fields that its morphology is measured over.

    Raises:
        InputError: the settings are not those of the reference castings.
    """
    if set(settings) != set(PROCESS_RANGE):
        raise InputError(
            f"the oracle casts {sorted(PROCESS_RANGE)} only, not {sorted(settings)}: it "
            "belongs to the synthetic reference castings"
        )
    inside = {
        name: float(np.clip(value, *PROCESS_RANGE[name][:2])) for name, value in settings.items()
    }
    casting = make_casting(ProcessSettings(**inside), seed, n_fields=n_fields)
    return casting.true_strengths
