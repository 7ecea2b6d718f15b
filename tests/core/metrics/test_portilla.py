"""Claims about the distance of Portilla-Simoncelli statistics."""

import pytest
import torch

from core.errors import InputError
from core.metrics import portilla
from core.metrics.portilla import (
    PortillaSimoncelliDistance,
    portilla_simoncelli_distance,
    texture_statistics,
)
from tests.core.textures import texture


def picture(seed: int, grain_px: float = 2.0, side: int = 128) -> torch.Tensor:
    return torch.from_numpy(texture(side, side, grain_px, seed))[None, None]


def test_distance_is_as_worked_by_hand(monkeypatch):
    fake = {
        0.25: {"a": torch.tensor([[3.0, 4.0]]), "b": torch.tensor([[1.0]])},
        0.75: {"a": torch.tensor([[3.0, 0.0]]), "b": torch.tensor([[1.0]])},
    }
    monkeypatch.setattr(portilla, "texture_statistics", lambda x: fake[x.flatten()[0].item()])
    dark, light = (torch.full((1, 1, 128, 128), grey) for grey in (0.25, 0.75))
    # group a: 16 / (25 + 9); group b: 0
    assert portilla_simoncelli_distance(dark, light).item() == pytest.approx(16 / 34 / 2)


def test_distance_is_zero_for_equal_pictures_and_symmetric():
    x, y = picture(0), picture(0, 4.0)
    assert portilla_simoncelli_distance(x, x).item() == 0
    there, back = portilla_simoncelli_distance(x, y), portilla_simoncelli_distance(y, x)
    torch.testing.assert_close(there, back)
    torch.testing.assert_close(PortillaSimoncelliDistance()(x, y), there)
    assert there.dtype == x.dtype


def test_distance_does_not_see_where_a_texture_lies():
    x = picture(0)
    moved = x.roll((16, 48), (2, 3))  # multiples of the coarsest sampling
    assert portilla_simoncelli_distance(x, moved).item() < 1e-9


def test_another_texture_is_farther_than_another_picture_of_the_same():
    x, sibling, other = picture(0), picture(1), picture(1, 5.0)
    near, far = (portilla_simoncelli_distance(x, y).item() for y in (sibling, other))
    assert 0 < near < 0.8 * far


def test_statistics_hold_the_pixels_mean_and_variance():
    x = picture(0)
    found = texture_statistics(x)["pixel_statistics"][0]
    assert found[0].item() == pytest.approx(x.mean().item(), rel=1e-6)
    assert found[1].item() == pytest.approx(x.double().var().item(), rel=1e-3)


@pytest.mark.parametrize(("side", "message"), [(112, "at least 128 px"), (136, "multiple of 16")])
def test_sizes_that_the_pyramid_cannot_take_are_refused(side: int, message: str):
    x = picture(0, side=side)
    with pytest.raises(InputError, match=message):
        portilla_simoncelli_distance(x, x)
