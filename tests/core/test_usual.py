"""Claims about the distance from usual pictures."""

from dataclasses import fields

import numpy as np
import pytest

from core.errors import InputError
from core.usual import UsualSpace, fit_usual

D = 6


def simulated(specimens: int, patches: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of specimens whose means and patches scatter with known covariances."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).standard_normal((2, D, D))
    means = rng.standard_normal((specimens, D)) @ mixing[0] + 5
    within = 0.7 * rng.standard_normal((specimens, patches, D)) @ mixing[1]
    return (means[:, None] + within).reshape(-1, D), np.repeat(np.arange(specimens), patches)


@pytest.fixture(scope="module")
def space() -> UsualSpace:
    return fit_usual(*simulated(400, 6, 0))


def field_distances(space: UsualSpace, patches: int, seed: int, shift: float = 0.0) -> np.ndarray:
    vectors, specimen = simulated(400, patches, seed)
    return np.array([space.distance(vectors[specimen == s] + shift, patches) for s in range(400)])


def test_distance_of_usual_fields_is_one_whatever_the_number_of_patches(space: UsualSpace) -> None:
    """Squared and times the coordinates, it is chi-squared with as many degrees of freedom."""
    for patches in (1, 4, 20):
        squared = D * field_distances(space, patches, 7) ** 2
        assert squared.mean() == pytest.approx(D, rel=0.1), f"{patches} patches"
        assert np.quantile(squared, 0.95) == pytest.approx(12.59, rel=0.15), f"{patches} patches"


def test_one_specimen_on_its_mean_has_the_hand_worked_distance() -> None:
    """W = 1 and B = 3 on one axis; four patches 4 from the mean: 4 / sqrt(3 + 1/4)."""
    one = np.ones(1)
    space = UsualSpace(0 * one, one, np.eye(1), 0 * one, np.eye(1), 3 * one)
    found = space.distance(np.array([[3.0], [5.0], [3.0], [5.0]]), independent=4)
    assert found == pytest.approx(4 / np.sqrt(3.25))
    assert space.distance(np.array([[3.0], [5.0]]), independent=1) == pytest.approx(2.0)


def test_shifted_fields_lie_farther(space: UsualSpace) -> None:
    usual, shifted = field_distances(space, 4, 8), field_distances(space, 4, 8, shift=8.0)
    assert np.median(shifted) > np.quantile(usual, 0.95)


def test_distance_does_not_depend_on_units_or_the_order_of_patches() -> None:
    vectors, specimen = simulated(60, 4, 1)
    scale, shift = np.linspace(1, 50, D), np.linspace(-9, 9, D)
    first = fit_usual(vectors, specimen)
    second = fit_usual(vectors * scale + shift, specimen)
    patches = simulated(3, 4, 2)[0][:4]
    found = first.distance(patches, 4)
    assert second.distance(patches * scale + shift, 4) == pytest.approx(found, rel=1e-3)
    assert first.distance(patches[::-1], 4) == pytest.approx(found)


def test_what_lies_off_the_components_counts() -> None:
    """Data on a plane of 40 dimensions, with a little noise; a step off the plane is seen."""
    rng = np.random.default_rng(0)
    plane = rng.standard_normal((2, 40))
    vectors = rng.standard_normal((300, 2)) @ plane + 0.01 * rng.standard_normal((300, 40))
    space = fit_usual(vectors, np.repeat(np.arange(100), 3), components=2)
    assert space.components.shape == (2, 40) and len(space.offset) == 3
    step = np.zeros(40)
    step[:] = np.linalg.svd(plane)[2][-1]
    near = [space.distance(vectors[i : i + 3], 3) for i in range(0, 300, 3)]
    far = [space.distance(vectors[i : i + 3] + step, 3) for i in range(0, 300, 3)]
    assert min(far) > max(near)


def test_specimens_of_one_patch_each_are_judged_by_the_scatter_of_all() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((200, 3))
    space = fit_usual(vectors, np.arange(200))
    found = [space.distance(v[None], 1) for v in rng.standard_normal((500, 3))]
    assert np.mean(np.square(found)) == pytest.approx(1.0, abs=0.15)


def test_values_are_those_that_float32_holds(space: UsualSpace) -> None:
    for field in fields(space):
        value = getattr(space, field.name)
        np.testing.assert_array_equal(value, value.astype(np.float32), err_msg=field.name)


def test_too_few_specimens_and_shapes_that_do_not_fit_are_refused(space: UsualSpace) -> None:
    with pytest.raises(InputError, match="2 specimens"):
        fit_usual(np.zeros((4, 3)), np.array(["a", "a", "b", "b"]))
    parts = {name: getattr(space, name) for name in UsualSpace.__slots__}
    for name, wrong in (
        ("centre", np.zeros(D + 1)),
        ("axes", np.eye(D + 1)),
        ("between", np.full(D, np.nan)),
        ("between", np.full(D, -1.0)),
        ("spread", np.zeros(D)),
    ):
        with pytest.raises(InputError, match="a space of usual pictures has"):
            UsualSpace(**(parts | {name: wrong}))
