"""Claims about conformal intervals."""

import numpy as np
import pytest

from core.conformal import conformal_half_width


def test_conformal_quantile_is_the_ninth_of_nine_and_absent_below():
    assert conformal_half_width(np.arange(9.0)) == 8.0
    assert conformal_half_width(np.arange(8.0)) is None
    assert conformal_half_width(np.arange(19.0)) == 17.0  # ceil(0.9 * 20) = 18th
    assert conformal_half_width(np.arange(99.0)) == 89.0


def test_scores_of_one_specimen_share_its_weight():
    """Ten specimens: nine with a score of 1, the tenth with nine scores of 9 and one of 0."""
    groups = np.array([*range(9), *[9] * 10])
    scores = np.array([*[1.0] * 9, *[9.0] * 9, 0.0])
    # Weights of 1/11 a specimen: 0.1/11 + 9/11 = 0.827 up to 1, so 0.9 lies among the nines.
    assert conformal_half_width(scores, groups=groups) == 9.0
    assert conformal_half_width(scores, 0.82, groups) == 1.0
    assert conformal_half_width(scores, 0.95, groups) is None


@pytest.mark.parametrize("size", [9, 17, 50])
def test_single_scores_in_groups_give_the_plain_quantile(size):
    scores = np.random.default_rng(size).random(size)
    expected = np.sort(scores)[int(np.ceil(0.9 * (size + 1) - 1e-9)) - 1]
    assert conformal_half_width(scores) == expected
    assert conformal_half_width(scores, groups=np.arange(size)) == expected
