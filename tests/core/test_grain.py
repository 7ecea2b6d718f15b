"""Claims about the grain: noise of known size and correlation is found again."""

import numpy as np
import pytest
from scipy.ndimage import convolve, gaussian_filter

from core.errors import InputError
from core.grain import measure_grain


def noisy(deviation: float, blur_px: float) -> np.ndarray:
    """Patches (24, 96, 96) with an edge, a speck and normal noise; the noise alone beside them."""
    rng = np.random.default_rng(0)
    noise = gaussian_filter(rng.standard_normal((24, 96, 96)), (0, blur_px, blur_px))
    noise *= deviation / noise.std()
    pictures = np.full(noise.shape, 0.6)
    pictures[:, :, 60:] = 0.2
    pictures[:, 20:22, 20:22] = 0.0
    return pictures + noise


@pytest.mark.parametrize(("deviation", "blur_px"), [(0.015, 0.62), (0.03, 0.5)])
def test_noise_is_found_beside_edges_and_specks(deviation: float, blur_px: float) -> None:
    kernel, found = measure_grain(noisy(deviation, blur_px), 5)
    assert found == pytest.approx(deviation, rel=0.06)
    assert np.linalg.norm(kernel) == pytest.approx(1.0)
    white = np.random.default_rng(1).standard_normal((400, 400))
    expected, made = gaussian_filter(white, blur_px), convolve(white, kernel)
    for step in ((0, 1), (1, 0), (1, 1)):
        a, b = (
            np.corrcoef(x.ravel(), np.roll(x, step, (0, 1)).ravel())[0, 1] for x in (expected, made)
        )
        assert b == pytest.approx(a, abs=0.05), step


def test_pictures_without_noise_are_refused() -> None:
    with pytest.raises(InputError, match="no noise"):
        measure_grain(np.full((2, 64, 64), 0.5), 5)
