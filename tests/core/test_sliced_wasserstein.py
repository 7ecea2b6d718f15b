"""Claims about the sliced Wasserstein distance: hand-worked value, invariances, sight, errors."""

import pytest
import torch

from core.errors import InputError
from core.sliced_wasserstein import sliced_wasserstein


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_distance_of_one_channel_is_as_worked_by_hand() -> None:
    """One channel has two directions, +1 and -1, that give the same distance."""
    x = {"pool1": torch.tensor([[[[0.0, 2.0], [4.0, 2.0]]]])}  # sorted 0 2 2 4, variance 2
    y = {"pool1": torch.tensor([[[[3.0, 1.0], [3.0, 1.0]]]])}  # sorted 1 1 3 3
    found = sliced_wasserstein(x, y, seeded(), ("pool1",), directions=3)
    floor = 1e-3 * (4 + 16 + 4) / 4
    torch.testing.assert_close(found, torch.tensor([[1.0 / (2.0 + floor)]]))


def test_moving_things_about_changes_nothing() -> None:
    x = torch.rand(2, 5, 8, 8, generator=seeded())
    moved = x.roll((3, 2), dims=(2, 3)).flip(2)
    found = sliced_wasserstein({"pool2": x}, {"pool2": moved}, seeded(1), ("pool2",))
    assert found.shape == (2, 1) and found.max() < 1e-12, found


def test_it_tells_half_tones_from_black_of_the_same_first_two_moments() -> None:
    """Levels 0 and 2 half and half, or normal with mean 1 and deviation 1: one Gram matrix."""
    two = torch.arange(4096).remainder(2).mul(2.0)
    normal = torch.randn(4096, generator=seeded())
    normal = (normal - normal.mean()) / normal.std(correction=0) + 1
    x, y = ({"pool1": values.view(1, 1, 64, 64)} for values in (two, normal))
    torch.testing.assert_close(two.square().mean(), normal.square().mean())
    assert sliced_wasserstein(x, y, seeded(), ("pool1",)).item() > 0.2


def test_constant_features_are_one_away_and_the_gradient_is_finite() -> None:
    x = torch.rand(1, 3, 16, 16, generator=seeded())
    y = x.mean(dim=(2, 3), keepdim=True).expand_as(x).clone().requires_grad_()
    found = sliced_wasserstein({"pool3": x}, {"pool3": y}, seeded(), ("pool3",))
    assert 0.95 < found.item() <= 1.0, found
    found.sum().backward()
    assert y.grad is not None and torch.isfinite(y.grad).all() and y.grad.abs().max() > 0


def test_blank_originals_give_a_finite_distance() -> None:
    blank = torch.zeros(1, 2, 4, 4)
    assert torch.isfinite(
        sliced_wasserstein({"pool1": blank}, {"pool1": blank}, seeded(), ("pool1",))
    ).all()


def test_missing_layers_and_other_sizes_are_refused() -> None:
    x = {"pool1": torch.zeros(1, 2, 4, 4)}
    with pytest.raises(InputError, match="lack the layer 'pool2'"):
        sliced_wasserstein(x, x, seeded(), ("pool2",))
    with pytest.raises(InputError, match="must be of one size"):
        sliced_wasserstein(x, {"pool1": torch.zeros(1, 2, 4, 2)}, seeded(), ("pool1",))
    with pytest.raises(InputError, match="at least one layer"):
        sliced_wasserstein(x, x, seeded(), ())
