"""Claims about the denoiser: how it is scaled, what it sees of z, that no place is special."""

import math

import pytest
import torch

from core.denoiser.network import Denoiser, DenoiserConfig, Shares
from core.errors import ConfigError
from tests.core.denoiser.conftest import SMALL, random_denoiser


def whole(positions: int, count: int = 1) -> Shares:
    """Return the shares of a picture that is one cell."""
    return Shares(torch.ones(count, positions, 1), torch.ones(count, positions, 1))


def test_untrained_it_is_the_best_estimate_of_white_noise() -> None:
    network = Denoiser(SMALL)
    network.centre.fill_(0.4)
    network.spread.fill_(0.1)
    noisy, noise = torch.rand(2, 1, 32, 32), torch.tensor([0.1, 0.3])
    found = network(noisy, noise, torch.randn(2, 1, 1, 8), whole(8, 2))
    kept = torch.tensor([0.5, 0.1]).view(2, 1, 1, 1)  # s^2 / (s^2 + noise^2)
    assert torch.allclose(found, 0.4 + kept * (noisy - 0.4), atol=1e-6)


def test_what_is_added_vanishes_with_the_noise() -> None:
    network, noisy = random_denoiser(), torch.rand(1, 1, 32, 32)
    z = torch.randn(1, 1, 1, 8)
    changes = [
        float((network(noisy, torch.tensor([s]), z, whole(8)) - noisy).abs().max())
        for s in (0.1, 0.01, 0.001)
    ]
    assert changes[0] > 10 * changes[2], f"changes {changes}"
    assert changes[2] < 0.01


def test_z_and_noise_change_the_estimate() -> None:
    network, noisy = random_denoiser(), torch.rand(1, 1, 32, 32)
    z, noise = torch.zeros(1, 1, 1, 8), torch.tensor([0.1])
    first = network(noisy, noise, z, whole(8))
    assert not torch.allclose(first, network(noisy, noise, z + 1, whole(8)), atol=1e-4)


def test_cells_have_their_own_z() -> None:
    network, noisy, noise = random_denoiser(), torch.rand(1, 1, 64, 32), torch.tensor([0.1])
    z = torch.zeros(1, 2, 1, 8)
    z[:, 1] = 1.0
    rows = torch.zeros(1, 16, 2)
    rows[:, :8, 0] = rows[:, 8:, 1] = 1.0
    both = network(noisy, noise, z, Shares(rows, torch.ones(1, 8, 1)))
    upper, lower = (
        network(noisy, noise, z[:, i : i + 1], Shares(torch.ones(1, 16, 1), torch.ones(1, 8, 1)))
        for i in range(2)
    )
    assert torch.allclose(both[..., :4, :], upper[..., :4, :], atol=2e-3)
    assert torch.allclose(both[..., -4:, :], lower[..., -4:, :], atol=2e-3)
    assert not torch.allclose(upper, lower, atol=2e-3), "the check would see nothing"


def test_a_picture_moved_by_a_step_gives_the_estimate_moved() -> None:
    network, noise, z = random_denoiser(), torch.tensor([0.1]), torch.zeros(1, 1, 1, 8)
    noisy = torch.rand(1, 1, 320, 320)  # the middle does not see the edges
    step = SMALL.step_px
    found = network(noisy, noise, z, whole(80))
    moved = network(noisy.roll(step, dims=3), noise, z, whole(80))
    inside = (slice(None), slice(None), slice(152, 168), slice(152, 168))
    assert torch.allclose(found.roll(step, dims=3)[inside], moved[inside], atol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"channels": ()}, "1 to 5 integers"),
        ({"channels": (8, 4)}, "channels must be an integer from 8"),
        ({"start": 0.5}, "lowest over start to highest"),
        ({"coarse": 0.01}, "coarse must be 0, or above start"),
        ({"coarse": 9.0}, "coarse must be 0, or above start"),
        ({"lowest": math.nan}, "lowest over start to highest"),
        ({"highest": "0.2"}, "highest must be a number"),
        ({"steps": 0}, "steps must be an integer from 1"),
        ({"odd": 1}, "unknown settings"),
    ],
)
def test_settings_that_cannot_be_are_refused(change: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        DenoiserConfig.from_dict(change)


def test_settings_come_back_from_json() -> None:
    assert DenoiserConfig.from_dict(SMALL.to_dict()) == SMALL
