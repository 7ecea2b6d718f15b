"""Claims about the relative style error as a metric."""

import pytest
import torch

from core.errors import InputError
from core.gram import style_statistics
from core.losses import relative_style_error as by_layer
from core.metrics.style import RelativeStyleError, relative_style_error
from core.vgg import load_vgg19
from tests.core.textures import texture


def picture(seed: int, grain_px: float = 2.0) -> torch.Tensor:
    return torch.from_numpy(texture(64, 64, grain_px, seed))[None, None]


@pytest.fixture(scope="module")
def vgg(vgg_weights):
    return load_vgg19(pooling="max")


def test_style_error_is_the_mean_over_the_layers_with_average_pooling(vgg):
    x, y = picture(0), picture(1, 4.0)
    average = load_vgg19(pooling="average")
    layers = by_layer(*(style_statistics(average(images, last="pool4")) for images in (x, y)))
    found = relative_style_error(vgg, x, y)
    torch.testing.assert_close(found, layers.mean(dim=1))
    torch.testing.assert_close(RelativeStyleError(vgg)(x, y), found)


def test_style_error_is_zero_for_equal_pictures_and_larger_for_another_texture(vgg):
    x = picture(0)
    same, sibling, other = (
        relative_style_error(vgg, x, y).item() for y in (x, picture(1), picture(1, 6.0))
    )
    assert same == pytest.approx(0, abs=1e-9)
    assert 0 < sibling < other


def test_style_error_refuses_pictures_of_two_sizes(vgg):
    with pytest.raises(InputError, match="differ in shape"):
        relative_style_error(vgg, picture(0), picture(0)[..., :32])
