"""Claims about flakes: lamellae and worms of known length and thickness."""

import numpy as np
import pytest

from core.descriptors import describe
from tests.core.descriptors.drawn import disc, lamella, picture, worm


@pytest.mark.parametrize("width", [4.0, 5.0, 6.5, 9.0])
@pytest.mark.parametrize("angle", [0.0, 0.35, 0.7])
def test_lamellae_have_their_length_and_thickness(width, angle):
    pixels = picture([lamella(160, (80.3, 79.8), 100, width, angle)])
    found = describe(pixels, um_per_px=2.0)
    assert found.flake_length_um == pytest.approx(2 * np.hypot(100, width), rel=0.04)
    assert found.flake_thickness_um == pytest.approx(2 * width, abs=1.8)  # 0.9 px
    assert found.nodularity_iso_pct == 0
    assert found.graphite_pct == pytest.approx(100 * 100 * width / 160**2, abs=0.15)


def test_a_worm_is_as_long_as_its_span_and_as_thick_as_drawn():
    found = describe(picture([worm(160, 45.0, 10.0)]), um_per_px=1.0)
    assert found.flake_length_um == pytest.approx(100, rel=0.03)
    assert found.flake_thickness_um == pytest.approx(10, abs=0.6)


def test_length_is_weighted_by_area_and_leaves_nodules_out():
    shapes = [lamella(192, (40, 96), 120, 6, 0), lamella(192, (90, 50), 40, 6, 0)]
    found = describe(picture([*shapes, disc(192, (145, 130), 50)]), um_per_px=1.0)
    assert found.n_inner == 3
    assert found.flake_length_um == pytest.approx((120**2 + 40**2) / 160, rel=0.03)
    assert found.flake_thickness_um == pytest.approx(6, abs=0.6)


def test_nodules_alone_have_no_flake_length():
    found = describe(picture([disc(128, (64, 64), 40)]), um_per_px=1.0)
    assert found.flake_length_um is None
    assert found.flake_thickness_um is None
