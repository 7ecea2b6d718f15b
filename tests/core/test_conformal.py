"""Claims about conformal intervals."""

import numpy as np

from core.conformal import conformal_half_width


def test_conformal_quantile_is_the_ninth_of_nine_and_absent_below():
    assert conformal_half_width(np.arange(9.0)) == 8.0
    assert conformal_half_width(np.arange(8.0)) is None
    assert conformal_half_width(np.arange(19.0)) == 17.0  # ceil(0.9 * 20) = 18th
    assert conformal_half_width(np.arange(99.0)) == 89.0
