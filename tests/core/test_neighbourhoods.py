"""Claims about the distance of pixels' neighbourhoods: it is blind to place and sees noise."""

import pytest
import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from core.errors import InputError
from core.neighbourhoods import WINDOWS, neighbourhood_distance, noise_error


def drawn(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def noise(seed: int, deviation: float = 0.015) -> Tensor:
    return 0.5 + deviation * torch.randn(2, 1, 96, 96, generator=drawn(seed))


def distance(target: Tensor, images: Tensor) -> Tensor:
    return neighbourhood_distance(target, images, drawn(9))


def test_equal_pictures_have_none_and_moved_ones_next_to_none() -> None:
    x = noise(0)
    assert distance(x, x).shape == (2, len(WINDOWS))
    assert float(distance(x, x).max()) == 0
    edge = x.clone()
    edge[..., 40:60, 40:60] = 0.1
    moved = float(distance(edge, edge.roll(8, dims=3)).max())
    assert moved < 0.05 * float(distance(edge, x).max()), f"moved by 8 px it is {moved} away"


def test_noise_of_another_draw_is_near_and_of_another_kind_far() -> None:
    x, again = noise(0), float(distance(noise(0), noise(1)).mean())
    louder = float(distance(x, noise(1, 0.018)).mean())
    smooth = F.avg_pool2d(F.pad(noise(1), [1, 1, 1, 1], mode="circular"), 3, 1)
    smooth = 0.5 + (smooth - 0.5) * 3  # of the same deviation
    blurred = float(distance(x, smooth).mean())
    assert again < 0.01, f"another draw is {again} away"
    assert louder > 3 * again, f"a fifth more noise: {louder}, another draw: {again}"
    assert blurred > 30 * again, f"correlated noise: {blurred}, another draw: {again}"


def test_the_gradient_leads_to_the_originals_noise() -> None:
    target = noise(0)
    made = noise(1, 0.03).requires_grad_()
    optimiser = torch.optim.Adam([made], 1e-3)
    before = float(distance(target, made.detach()).mean())
    for step in range(30):
        optimiser.zero_grad()
        neighbourhood_distance(target, made, drawn(step)).mean().backward()
        optimiser.step()
    after = float(distance(target, made.detach()).mean())
    assert after < 0.2 * before, f"{before} then {after}"


def test_blank_pictures_have_finite_distances() -> None:
    blank = torch.full((1, 1, 32, 32), 0.5)
    assert torch.isfinite(distance(blank, noise(0)[:1, :, :32, :32])).all()
    assert float(distance(blank, blank).max()) == 0


def test_noise_that_is_off_by_little_is_told_by_how_much() -> None:
    x = noise(0)
    assert float(noise_error(x, x, drawn(9)).max()) == 0
    again, louder = (noise_error(x, noise(1, size), drawn(9)) for size in (0.015, 0.0155))
    fine = [place for place, (px, _) in enumerate(WINDOWS) if px == 1]  # coarse ones hold few px
    told = float(louder[:, fine].mean() - again[:, fine].mean())
    assert told > 0.01, f"a thirtieth more noise counts {told}"


def test_edges_do_not_count_as_noise() -> None:
    x, again = noise(0), noise(1)
    dark = again.clone()
    dark[..., 10:30, 10:30] -= 0.4  # a particle
    fine = [place for place, (px, _) in enumerate(WINDOWS) if px == 1]
    plain, particle = (float(noise_error(x, i, drawn(9))[:, fine].mean()) for i in (again, dark))
    assert particle < plain + 0.03, f"{plain}, with a particle {particle}"


@pytest.mark.parametrize(
    ("target", "images", "message"),
    [
        ((1, 1, 32, 32), (1, 1, 32, 64), "must both be"),
        ((1, 3, 32, 32), (1, 3, 32, 32), "must both be"),
        ((1, 1, 16, 32), (1, 1, 16, 32), "smaller than 20 px"),
    ],
)
def test_pictures_that_do_not_fit_are_refused(target, images, message: str) -> None:
    with pytest.raises(InputError, match=message):
        distance(torch.zeros(target), torch.zeros(images))
