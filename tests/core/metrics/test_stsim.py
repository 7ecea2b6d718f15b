"""Claims about STSIM-2."""

from typing import Any

import numpy as np
import pytest
import torch

from core.errors import InputError
from core.metrics.stsim import (
    CONSTANT,
    CROSS_PAIRS,
    STSIM2,
    TextureStatistics,
    compare,
    stsim2,
    texture_statistics,
)
from core.metrics.stsim import _band_statistics as band_statistics
from core.metrics.stsim import _cross_correlations as cross_correlations
from tests.core.textures import texture


def picture(seed: int, grain_px: float = 2.0, side: int = 96) -> torch.Tensor:
    return torch.from_numpy(texture(side, side, grain_px, seed)).double()[None, None]


def statistics(**changed: Any) -> TextureStatistics:
    """Statistics of one picture: all 1, but for those given."""
    made: dict[str, Any] = {
        "mean": torch.ones(1, 14),
        "deviation": torch.ones(1, 14),
        "horizontal": torch.ones(1, 14, dtype=torch.complex64),
        "vertical": torch.ones(1, 14, dtype=torch.complex64),
        "cross": torch.ones(1, 26),
    }
    for name, (place, value) in changed.items():
        made[name] = made[name].clone()
        made[name][0, place] = value
    return TextureStatistics(**made)


def test_equal_statistics_have_similarity_one():
    assert compare(statistics(), statistics()).item() == pytest.approx(1)


@pytest.mark.parametrize(
    ("changed", "term"),
    [
        ({"mean": (3, 2.0)}, ((2 * 2 + CONSTANT) / (4 + 1 + CONSTANT)) ** 0.25),
        ({"deviation": (0, 3.0)}, ((2 * 3 + CONSTANT) / (9 + 1 + CONSTANT)) ** 0.25),
        ({"horizontal": (5, 0.5)}, 0.75**0.25),
        ({"vertical": (5, 1j)}, (1 - 2**0.5 / 2) ** 0.25),
        ({"cross": (25, -1.0)}, 0.0),
    ],
)
def test_one_changed_statistic_changes_one_of_forty_terms(changed: dict, term: float):
    found = compare(statistics(), statistics(**changed)).item()
    assert found == pytest.approx((39 + term) / 40, abs=1e-6)


def test_statistics_of_one_subband_are_those_of_loops():
    rng = np.random.default_rng(0)
    band = rng.normal(size=(6, 8)) + 1j * rng.normal(size=(6, 8))
    centred = band - band.mean()
    variance = np.mean(np.abs(centred) ** 2)
    right = below = 0
    for y in range(6):
        for x in range(8):
            right += centred[y, x] * np.conj(centred[y, (x + 2) % 8]) / 48
            below += centred[y, x] * np.conj(centred[(y + 2) % 6, x]) / 48
    found = [v.item() for v in band_statistics(torch.from_numpy(band)[None], 2)]
    c = CONSTANT
    expected = [np.abs(band).mean(), variance**0.5]
    expected += [(right + c) / (variance + c), (below + c) / (variance + c)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_correlations_across_subbands_are_those_of_numpy():
    magnitudes = [torch.from_numpy(np.random.default_rng(k).random((1, 5, 7))) for k in range(12)]
    matrix = np.corrcoef(np.stack([m.numpy().ravel() for m in magnitudes]))
    found = cross_correlations(magnitudes)[0].numpy()
    np.testing.assert_allclose(found, [matrix[j, k] for j, k in CROSS_PAIRS], atol=0.02)
    assert len(CROSS_PAIRS) == 26


def test_similarity_is_one_for_equal_pictures_and_symmetric():
    x, y = picture(0), picture(1, 4.0)
    assert stsim2(x, x).item() == pytest.approx(1)
    there = stsim2(x, y)
    assert 0 < there.item() < 1
    torch.testing.assert_close(stsim2(y, x), there)
    torch.testing.assert_close(STSIM2()(x, y), there)


def test_similarity_does_not_see_where_a_texture_lies():
    x = picture(0)
    assert stsim2(x, x.roll((7, 31), (2, 3))).item() == pytest.approx(1, abs=1e-9)


def test_similarity_takes_pictures_of_two_sizes():
    x = picture(0)
    doubled = torch.cat([x, x], dim=3)
    assert stsim2(x, doubled).item() == pytest.approx(1, abs=1e-3)


def test_another_texture_is_less_similar_than_another_picture_of_the_same():
    x, sibling, other = picture(0), picture(1), picture(1, 5.0)
    near, far = (1 - stsim2(x, y).item() for y in (sibling, other))
    assert near < 0.5 * far


def test_a_turned_texture_is_less_similar():
    ramp = torch.linspace(0, 24 * torch.pi, 97, dtype=torch.float64)[:-1]
    stripes = (0.5 + 0.3 * torch.sin(ramp)).expand(1, 1, 96, 96)
    assert stsim2(stripes, stripes.transpose(2, 3)).item() < 0.95
    assert stsim2(stripes, stripes.roll(3, 3)).item() == pytest.approx(1, abs=1e-9)


def test_similarity_has_a_gradient_that_is_right():
    x, y = (0.2 + 0.6 * picture(seed, side=32) for seed in (0, 1))
    direction = torch.randn(y.shape, generator=torch.Generator().manual_seed(0)).double()
    direction /= direction.norm()
    y.requires_grad_(True)
    (slope,) = torch.autograd.grad(stsim2(x, y).sum(), y)
    step = 1e-5
    with torch.no_grad():
        ahead, behind = (stsim2(x, y + s * direction).item() for s in (step, -step))
    assert (slope * direction).sum().item() == pytest.approx((ahead - behind) / 2 / step, rel=1e-4)


def test_one_picture_is_compared_with_many_but_two_not_with_three():
    one, three = (texture_statistics(picture(0).repeat(n, 1, 1, 1)) for n in (1, 3))
    assert compare(one, three).shape == (3,)
    with pytest.raises(InputError, match="2 pictures cannot be compared with 3"):
        stsim2(picture(0).repeat(2, 1, 1, 1), picture(0).repeat(3, 1, 1, 1))
    two = texture_statistics(picture(0).repeat(2, 1, 1, 1))
    with pytest.raises(InputError, match="of 2 and of 3"):
        compare(two, three)


def test_odd_and_small_sides_are_refused():
    with pytest.raises(InputError, match="multiple of 2 px"):
        stsim2(picture(0, side=97), picture(0, side=97))
    with pytest.raises(InputError, match="at least 32 px"):
        stsim2(picture(0, side=30), picture(0, side=30))
