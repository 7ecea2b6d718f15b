"""Claims about the critic: its losses by hand, what it can learn, what it does not see."""

from collections.abc import Sequence

import pytest
import torch
from torch import Generator, Tensor

from core.critic import CRITIC_LAYERS, Critic, critic_loss, decoder_loss, feature_scales
from core.gram import gram, style_statistics
from core.vgg import CHANNELS

SIDES = {"conv1_1": 16, "pool1": 8, "pool2": 4, "pool3": 2, "pool4": 2}


def draw_features(generator: Generator, size: float = 1.0) -> dict[str, Tensor]:
    return {
        layer: size * torch.rand((3, CHANNELS[layer], side, side), generator=generator)
        for layer, side in SIDES.items()
    }


def scales_of(features: dict[str, Tensor], layers: Sequence[str]) -> dict[str, Tensor]:
    return feature_scales(style_statistics(features, layers), layers)


@pytest.fixture
def critic() -> Critic:
    torch.manual_seed(0)
    return Critic(5, CRITIC_LAYERS)


def test_losses_are_those_worked_by_hand() -> None:
    real = [torch.tensor([0.5, 2.0]), torch.tensor([-1.0])]
    made = [torch.tensor([-0.5, -3.0]), torch.tensor([1.0])]
    # hinge: first layer ((0.5 + 0) / 2 + (0.5 + 0) / 2) / 2, second (2 + 2) / 2
    assert critic_loss(real, made).item() == pytest.approx((0.25 + 2.0) / 2)
    assert decoder_loss(made).item() == pytest.approx(-(-1.75 + 1.0) / 2)


def test_scales_are_the_root_mean_squares_of_each_picture() -> None:
    features = {"pool1": torch.stack([torch.full((2, 3, 3), 2.0), torch.full((2, 3, 3), 5.0)])}
    scales = scales_of(features, ["pool1"])
    torch.testing.assert_close(scales["pool1"].flatten(), torch.tensor([2.0, 5.0]))


def test_there_is_an_opinion_of_every_position(critic: Critic) -> None:
    features = draw_features(Generator().manual_seed(1))
    z = torch.zeros((3, 5, 2, 2))
    opinions = critic(features, scales_of(features, critic.layers), z)
    assert [tuple(o.shape) for o in opinions] == [(3, 1, s, s) for s in SIDES.values()]


def test_overall_size_of_the_features_does_not_count(critic: Critic) -> None:
    critic.eval()
    z = torch.ones((3, 5, 1, 1))
    found = []
    for size in (1.0, 40.0):
        features = draw_features(Generator().manual_seed(1), size)
        found.append(critic(features, scales_of(features, critic.layers), z))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_opinions_depend_on_the_latents_of_their_own_cell(critic: Critic) -> None:
    critic.eval()
    features = draw_features(Generator().manual_seed(1))
    scales = scales_of(features, critic.layers)
    z = torch.zeros((3, 5, 2, 2))
    before = critic(features, scales, z)
    z[:, :, 0, 1] = 3.0  # the upper right cell
    for layer, one, other in zip(critic.layers, before, critic(features, scales, z), strict=True):
        changed, half = (one != other)[:, 0], SIDES[layer] // 2
        assert changed[:, :half, half:].any(), layer
        assert not changed[:, half:].any() and not changed[:, :half, :half].any(), layer


def test_it_learns_what_gram_matrices_cannot_tell() -> None:
    """Stripes against the same features at shuffled positions: the Gram matrices are equal."""
    generator = Generator().manual_seed(2)
    torch.manual_seed(0)
    critic = Critic(5, ["pool1"])
    optimiser = torch.optim.Adam(critic.parameters(), 5e-3, (0.0, 0.99))
    stripes = torch.tensor([1.0, -1.0]).repeat(8).expand(1, 64, 16, 16)
    z, losses = torch.zeros((1, 5, 1, 1)), []
    for _ in range(60):
        real = stripes * torch.randn((1, 64, 1, 1), generator=generator)
        places = torch.randperm(256, generator=generator)
        made = real.flatten(2)[..., places].view_as(real)
        torch.testing.assert_close(gram(real), gram(made))
        scales = scales_of({"pool1": real}, critic.layers)
        of_real, of_made = (critic({"pool1": x}, scales, z) for x in (real, made))
        loss = critic_loss(of_real, of_made)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[0] > 0.9 and losses[-1] < 0.75, losses[::12]


def test_a_step_of_the_weights_cannot_make_it_steep(critic: Critic) -> None:
    """Spectral normalisation: weights ten times as large give the same opinions."""
    features = draw_features(Generator().manual_seed(1))
    scales, z = scales_of(features, critic.layers), torch.ones((3, 5, 1, 1))
    critic.eval()
    before = critic(features, scales, z)
    with torch.no_grad():
        for head in critic.heads.values():
            head.mix.parametrizations.weight.original.mul_(10.0)
    for one, other in zip(before, critic(features, scales, z), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
