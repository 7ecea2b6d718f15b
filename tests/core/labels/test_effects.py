"""Effects by hand: slopes, agreement of starts, what counts, what a label says."""

import numpy as np
import pytest
from scipy import stats

from core.errors import InputError
from core.labels.effects import curve, estimate
from core.labels.naming import conjunction, false_discovery_limit, judge, label_text, thinned
from core.labels.quantities import QUANTITIES, column_of, measure_picture, spreads
from core.labels.traversals import choose_starts, principal_directions
from core.traverse import place_along
from tests.core.labels.discs import draw, latent_table

VALUES = (-1.0, 0.0, 1.0)


def test_slopes_of_single_starts_are_averaged_with_students_interval():
    rows = np.outer([1.0, 2.0, 3.0], VALUES)
    found = estimate(rows, VALUES)
    half = 4.302653 * 1 / np.sqrt(3)  # t of 2 degrees of freedom, deviation 1
    assert (found.slope, found.low, found.high) == pytest.approx((2, 2 - half, 2 + half))
    assert found.low < 0 < found.sign  # the slopes differ much, the starts agree all the same


def test_starts_that_disagree_have_no_effect_in_common():
    found = estimate(np.outer([1.0, -1.0, 1.0, -1.0], VALUES), VALUES)
    assert (found.slope, found.share, found.sign) == (0, 0, 0)


def test_half_of_the_change_is_common():
    rows = np.array([[0, 1, 1, 2], [0, 1, -1, 0], [0, 1, 1, 2], [0, 1, -1, 0]], dtype=float)
    # value means (0, 1, 0, 1) less 0.5 give 4 of the total 2 * 2 + 2 * 2 = 8
    assert estimate(rows, (-3, -1, 1, 3)).share == pytest.approx(0.5)


def test_flat_traversals_are_no_effect():
    found = estimate(np.ones((4, 3)), VALUES)
    assert (found.slope, found.monotonicity, found.share, found.sign) == (0, 0, 0, 0)


def test_starts_with_too_few_values_are_left_out():
    rows = np.outer(np.ones(4), (-2.0, -1.0, 1.0, 2.0))
    rows[0, 1] = np.nan  # three are left
    rows[1, :2] = np.nan
    found = estimate(rows, (-2.0, -1.0, 1.0, 2.0))
    assert (found.starts, found.slope) == (3, pytest.approx(1))
    rows[2, :2] = np.nan
    assert estimate(rows, (-2.0, -1.0, 1.0, 2.0)) is None


def test_curves_have_each_starts_own_level_taken_out():
    line = curve(np.add.outer([10.0, 20.0, 60.0], VALUES))
    assert line.mean == line.low == line.high == (29.0, 30.0, 31.0)
    assert curve(np.full((2, 3), 1.0)) is None


@pytest.mark.parametrize(
    ("second", "spread", "recurs", "clear"),
    [
        (1.0, 1.0, True, True),
        (-1.0, 1.0, False, False),  # the second set contradicts the first
        (1.0, 20.0, True, False),  # 2 units of z move it by 0.1 deviations only
        (0.0, 1.0, False, False),
    ],
)
def test_an_effect_is_clear_where_both_sets_agree_and_it_is_large(second, spread, recurs, clear):
    steps = np.array([1.0, 1.1, 0.9])
    first = np.outer(steps, VALUES)
    rows = np.concatenate([first, second * first])
    found = judge(
        "graphite_pct",
        estimate(rows, VALUES),
        [estimate(first, VALUES), estimate(second * first, VALUES)],
        spread,
        span=2.0,
        limit=0.02,
    )
    assert (found.recurs, found.clear) == (recurs, clear), found


def test_a_quantity_that_one_set_lacks_does_not_recur():
    rows = np.outer(np.ones(3), VALUES)
    found = judge(
        "graphite_pct", estimate(rows, VALUES), [estimate(rows, VALUES), None], 1.0, 2.0, 1.0
    )
    assert not found.recurs and found.p is None


def test_an_effect_needs_both_sets_and_its_p_is_the_weaker_ones():
    up, mixed = np.outer(np.ones(5), VALUES), np.outer([1, 1, 1, -1, -1], VALUES)
    strong, weak = estimate(up, VALUES), estimate(mixed, VALUES)
    # t = 1 / (0.1 / sqrt(5)) with 4 degrees of freedom; mean 0.2, deviation sqrt(1.2)
    assert strong.p_up == pytest.approx(stats.t.sf(np.sqrt(5) / 0.1, 4))
    assert weak.p_up == pytest.approx(stats.t.sf(0.2 / np.sqrt(1.2 / 5), 4))
    assert conjunction([strong, weak]) == pytest.approx(2 * weak.p_up**2)
    assert conjunction([strong, estimate(-up, VALUES)]) == 1.0
    assert conjunction([estimate(-up, VALUES)] * 2) == pytest.approx(2 * strong.p_up**2)


def test_few_of_the_effects_that_count_are_false():
    """Of 2000 effects 200 are true; of those found, about a twentieth or fewer are not."""
    rng = np.random.default_rng(1)
    false = rng.uniform(size=1800)
    true = rng.uniform(0, 1e-3, 200)
    limit = false_discovery_limit([*false, *true])
    found = (false <= limit).sum(), (true <= limit).sum()
    assert found[1] == 200 and found[0] / sum(found) < 0.09
    assert false_discovery_limit(rng.uniform(0.01, 1, 500)) == 0.0
    assert false_discovery_limit([]) == 0.0


def test_labels_name_signs_in_words():
    assert label_text([("flake_length_um", -1)]) == "flake length −"
    assert label_text([("flake_length_um", -1)], weak=True) == "flake length − (weak)"
    assert label_text([], weak=True) == "no clear effect"


def test_the_structure_is_named_before_the_picture():
    found = thinned([("noise_pct", 1), ("matrix_grey_pct", -1), ("graphite_pct", 1)])
    assert found == (("graphite_pct", 1), ("noise_pct", 1), ("matrix_grey_pct", -1))


def test_pictures_are_measured_in_the_order_of_the_quantities():
    picture = draw(np.zeros((1, 4)), 1)[0]
    found = measure_picture(picture, 1.0)
    assert found.shape == (len(QUANTITIES),)
    assert found[column_of("diameter_um")] == pytest.approx(18, rel=0.05)
    assert found[column_of("matrix_grey_pct")] == pytest.approx(60, abs=1)
    assert np.isnan(found[column_of("flake_length_um")])  # all discs are nodules


def test_spreads_need_specimens_that_differ():
    measured = np.full((4, len(QUANTITIES)), np.nan)
    measured[:, 0], measured[:, 1] = (1, 2, 3, 4), 5
    measured[:3, 2] = (1, 2, 3)
    found = spreads(measured)
    assert found[0] == pytest.approx(1.29099, rel=1e-4)
    assert np.isnan(found[1:]).all()
    measured[:, 3] = (100, 100.1, 100.2, 100.3)  # known to a hundredth at best
    assert spreads(measured)[3] == pytest.approx(1.0, rel=0.01)
    with pytest.raises(InputError, match="nothing to name latents by"):
        spreads(measured[:3])


def test_the_two_sets_start_from_different_specimens():
    table = latent_table()
    rows = choose_starts(table, 4, seed=3)
    sets = [set(table.specimen[row]) for row in rows]
    assert rows.shape == (2, 4) and len(sets[0]) == len(sets[1]) == 4
    assert not sets[0] & sets[1]
    assert np.array_equal(rows, choose_starts(table, 4, seed=3))


def test_few_specimens_are_an_error_in_words():
    table = latent_table()
    table.specimen[:] = table.specimen[0]
    with pytest.raises(InputError, match="at least 4"):
        choose_starts(table, 4, seed=0)


def test_the_principal_direction_is_where_specimens_differ_most():
    means = np.array([[0.0, 2.0, 1.0], [0.0, -2.0, 1.0], [1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]])
    vectors, explained = principal_directions(means, 5)
    assert vectors == pytest.approx(np.eye(3)[[1, 0]])
    assert explained == pytest.approx([0.8, 0.2])


def test_moving_along_a_direction_leaves_what_is_across():
    vector = np.array([0.6, 0.8])
    moved = place_along(np.array([1.0, 2.0]), vector, (-4.0, 4.0))
    assert moved @ vector == pytest.approx([-4, 4])
    across = np.array([0.8, -0.6])
    assert moved @ across == pytest.approx([-0.4, -0.4])
    with pytest.raises(InputError, match="unit vector"):
        place_along(np.zeros(2), np.ones(2), (0.0,))
    with pytest.raises(InputError, match="finite"):
        place_along(np.zeros(2), vector, (np.nan,))
