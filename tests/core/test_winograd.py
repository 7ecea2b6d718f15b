"""Claims about Winograd's convolution: it is torch's, forwards and backwards, only faster."""

import pytest
import torch
from torch import nn

from core import winograd
from core.vgg import VGG19
from core.winograd import WinogradConv, accelerate, convolve, transform_filter
from tests.core.textures import texture


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def convolution() -> nn.Conv2d:
    torch.manual_seed(0)
    return nn.Conv2d(24, 40, 3, padding=1).requires_grad_(False)


def apart(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Norm of the difference over the norm of what is expected."""
    return ((found - expected).norm() / expected.norm()).item()


@pytest.mark.parametrize("size", [(4, 4), (8, 12), (16, 4)])
def test_forward_equals_torch(convolution: nn.Conv2d, size: tuple[int, int]) -> None:
    x = random(2, 24, *size)
    found = WinogradConv(convolution)(x)
    assert found.shape == (2, 40, *size)
    assert apart(found, convolution(x)) < 1e-5, apart(found, convolution(x))


def test_gradient_equals_torch(convolution: nn.Conv2d) -> None:
    direction = random(2, 40, 8, 12, seed=1)
    gradients = []
    for layer in (WinogradConv(convolution), convolution):
        x = random(2, 24, 8, 12).requires_grad_()
        (layer(x) * direction).sum().backward()
        gradients.append(x.grad)
    assert apart(*gradients) < 1e-5, apart(*gradients)


def test_a_kernel_of_one_tap_moves_the_picture_by_one_pixel() -> None:
    """Correlation, not convolution: the upper left tap brings the pixel above and to the left."""
    kernel = torch.zeros(1, 1, 3, 3)
    kernel[0, 0, 0, 0] = 1
    x = random(1, 1, 8, 8)
    found = convolve(x, transform_filter(kernel))
    expected = torch.zeros_like(x)
    expected[..., 1:, 1:] = x[..., :-1, :-1]
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("size", [(6, 8), (8, 7), (2, 2)])
def test_sides_that_four_does_not_divide_are_left_to_torch(
    convolution: nn.Conv2d, size: tuple[int, int]
) -> None:
    x = random(1, 24, *size)
    assert torch.equal(WinogradConv(convolution)(x), convolution(x))


def test_working_in_chunks_changes_nothing(
    convolution: nn.Conv2d, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, layer = random(5, 24, 8, 8), WinogradConv(convolution)
    whole = layer(x)
    monkeypatch.setattr(winograd, "_CHUNK_BYTES", 2 * 4 * 36 * 4 * 40)  # two images at once
    torch.testing.assert_close(layer(x), whole)


def test_accelerated_network_gives_the_same_features_and_gradients(vgg: VGG19) -> None:
    fast = accelerate(vgg)
    swapped = [i for i, layer in enumerate(fast.layers) if isinstance(layer, WinogradConv)]
    assert swapped == [7, 10, 12, 14, 16, 19, 21, 23, 25], swapped
    assert not any(isinstance(layer, WinogradConv) for layer in vgg.layers), "the original changed"
    found = []
    for network in (fast, vgg):
        x = torch.from_numpy(texture(32, 32, 1.0))[None, None].requires_grad_()
        features = network(x, last="pool4")
        sum(f.square().mean() for f in features.values()).backward()
        found.append((features["pool4"].detach(), x.grad))
    assert apart(found[0][0], found[1][0]) < 2e-5, apart(found[0][0], found[1][0])
    assert apart(found[0][1], found[1][1]) < 2e-4, apart(found[0][1], found[1][1])
