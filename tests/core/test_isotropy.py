"""Claims about directions: drawn ones are found, and shared ones are told from chance."""

import numpy as np
import pytest

from core.isotropy import anisotropy, gradient_axis, isotropy, particle_axis
from tests.core.textures import texture


def test_noise_has_no_direction() -> None:
    found = [anisotropy(texture(256, 256, 2.0, seed)) for seed in range(4)]
    assert max(found) < 0.12, found


@pytest.mark.parametrize("angle", [0, 30, 90, 135])
def test_stripes_have_one_direction_whichever_it_is(angle: float) -> None:
    y, x = np.mgrid[:256, :256]
    phase = x * np.cos(np.radians(angle)) + y * np.sin(np.radians(angle))
    found = anisotropy(0.5 + 0.4 * np.sin(2 * np.pi * phase / 16))
    assert found > 0.95, found


def test_anisotropy_is_blind_to_contrast_and_to_quarter_turns() -> None:
    picture = np.random.default_rng(0).random((64, 64)).cumsum(axis=1)
    found = anisotropy(picture)
    assert 0 < found < 1
    assert anisotropy(0.1 * picture + 3) == pytest.approx(found, rel=1e-6)
    assert anisotropy(np.rot90(picture)) == pytest.approx(found, rel=1e-6)
    assert anisotropy(np.full((64, 64), 0.3)) == pytest.approx(0, abs=1e-6)


def lines_at(angle: float) -> np.ndarray:
    """Draw dark bars of 40 x 6 px on white that lie at an angle, degrees from the x axis."""
    y, x = np.mgrid[:256, :256]
    along = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    picture = np.ones((256, 256))
    for top in (64, 128, 192):
        for left in (64, 128, 192):
            u = (x - left) * along[0] + (y - top) * along[1]
            v = (y - top) * along[0] - (x - left) * along[1]
            picture[(np.abs(u) < 20.5) & (np.abs(v) < 2.5)] = 0.0
    return picture


@pytest.mark.parametrize("angle", [0, 30, 90, 135])
def test_axes_of_bars_are_theirs(angle: float) -> None:
    axis = particle_axis(lines_at(angle))
    assert abs(axis) > 0.9
    assert np.degrees(np.angle(axis)) / 2 % 180 == pytest.approx(angle, abs=2)
    across = np.degrees(np.angle(gradient_axis(lines_at(angle)))) / 2 % 180
    assert across == pytest.approx((angle + 90) % 180, abs=2)


def test_discs_and_empty_pictures_have_no_axis() -> None:
    y, x = np.mgrid[:128, :128]
    disc = (np.hypot(x - 64, y - 64) > 20).astype(float)
    assert abs(particle_axis(disc)) < 0.02
    assert particle_axis(np.full((64, 64), 0.5)) == 0
    edge = np.ones((64, 64))
    edge[:, :6] = 0.0  # cut by the border: how long it is is not known
    assert particle_axis(edge) == 0


def test_a_direction_that_all_share_is_told_from_chance() -> None:
    rng = np.random.default_rng(1)
    turned = list(0.4 * np.exp(2j * np.pi * rng.random(60)))
    shared = [0.4 + 0j] * 60
    found = isotropy({"real": turned, "made": shared}, "real")
    assert found["real"]["common"] < found["real"]["common_by_chance"] < 0.15
    assert found["made"]["common"] == pytest.approx(0.4) and "strength_minus_real" in found["made"]
    assert found["made"]["common_by_chance"] == pytest.approx(
        found["real"]["common_by_chance"], abs=0.02
    )
    assert found["made"]["strength_minus_real"]["mean"] == pytest.approx(0.0, abs=1e-12)
    assert "strength_minus_real" not in found["real"]
