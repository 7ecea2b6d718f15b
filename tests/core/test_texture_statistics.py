"""Claims about the statistics that tell real from generated micrographs."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from core.errors import InputError
from core.texture_statistics import REDUCTIONS, describe_textures, family
from tests.core.textures import texture


def described(*pictures: np.ndarray) -> list[dict[str, float]]:
    names, values = describe_textures(np.stack(pictures).astype(np.float32))
    assert values.shape == (len(pictures), len(names)) and np.isfinite(values).all()
    return [dict(zip(names, row, strict=True)) for row in values]


def test_names_are_unique_and_families_are_those_described():
    names, _ = describe_textures(texture(128, 128)[None])
    assert len(set(names)) == len(names)
    assert list(dict.fromkeys(map(family, names))) == [
        "grey levels",
        "gradients",
        "local binary patterns",
        "power spectrum",
        "dark phase",
        "Portilla-Simoncelli",
    ]


def test_statistics_of_stripes_are_as_worked_by_hand():
    """A quarter 0.2, the rest 0.8, in stripes of 8 px each 32 px: four particles of 8 x 128 px."""
    rows = np.where(np.arange(128) % 32 < 8, 0.2, 0.8)
    (found,) = described(np.tile(rows[:, None], (1, 128)))
    assert found["grey levels: 1 % quantile"] == pytest.approx(0.2)
    assert found["grey levels: 99 % quantile"] == pytest.approx(0.8)
    deviation = np.sqrt(0.25 * 0.75) * 0.6
    for px in REDUCTIONS:
        assert found[f"grey levels: deviation, {px} px"] == pytest.approx(deviation)
    # Smoothing and Otsu's threshold move an edge by up to a pixel.
    assert found["dark phase: area fraction"] == pytest.approx(0.25, abs=0.06)
    count = np.expm1(found["dark phase: logarithm of the number of particles"])
    assert count == pytest.approx(4)
    diameter = 2 * np.sqrt(8 * 128 / np.pi)
    assert found["dark phase: 50 % quantile of the diameter, px"] == pytest.approx(
        diameter, rel=0.15
    )
    assert found["gradients: anisotropy"] > 0.99


def test_a_blank_picture_has_finite_statistics():
    (found,) = described(np.full((128, 128), 0.5))
    assert found["dark phase: area fraction"] == 0
    assert found["grey levels: deviation, 1 px"] == 0


def test_power_lies_at_the_period_of_a_wave():
    wave = 0.5 + 0.3 * np.sin(2 * np.pi * np.arange(128) / 16)
    (found,) = described(np.tile(wave, (128, 1)))
    rings = {name: value for name, value in found.items() if family(name) == "power spectrum"}
    period = float(max(rings, key=rings.__getitem__).split()[-2])
    assert period == pytest.approx(16, rel=0.1)


def test_grey_levels_between_those_of_eight_bits_are_not_seen():
    exact = texture(128, 128)
    stored = np.round(exact * 255) / 255
    first, second = described(exact, stored)
    assert first == second


def test_slight_blur_lowers_gradients_and_fine_power():
    noisy = np.clip(texture(128, 128) + np.random.default_rng(0).normal(0, 0.02, (128, 128)), 0, 1)
    sharp, blurred = described(noisy, gaussian_filter(noisy, 0.5))
    name = "gradients: 50 % quantile of the logarithm, 0.7 px"
    assert blurred[name] < sharp[name]
    finest = [n for n in sharp if family(n) == "power spectrum"][-1]
    assert blurred[finest] < sharp[finest] - 1


@pytest.mark.parametrize(
    ("pictures", "message"),
    [
        (np.zeros((128, 128)), "must be"),
        (np.zeros((0, 128, 128)), "must be"),
        (np.full((1, 128, 128), np.nan), "finite"),
        (np.zeros((1, 112, 128)), "at least 128 px"),
        (np.zeros((1, 128, 130)), "multiple of 16 px"),
    ],
)
def test_pictures_that_cannot_be_described_are_refused(pictures: np.ndarray, message: str):
    with pytest.raises(InputError, match=message):
        describe_textures(pictures)
