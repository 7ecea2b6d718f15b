"""Claims about the distance of grey levels: values worked by hand, scales, gradient, errors."""

import pytest
import torch

from core.errors import InputError
from core.grey_levels import grey_level_distance


def test_grey_level_distance_is_as_worked_by_hand() -> None:
    x = torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]])  # variance 0.25
    y = torch.tensor([[[[0.5, 0.0], [0.0, 1.0]]]])  # sorted 0 0 0.5 1 against 0 0 1 1
    found = grey_level_distance(x, y, scales=(1, 2), floor=0.25)
    torch.testing.assert_close(found, torch.tensor([[0.0625 / 0.5, 0.015625 / 0.25]]))


def test_grey_level_distance_is_blind_to_place_at_scale_one_and_sees_size_above() -> None:
    fine = torch.arange(64).remainder(2).float().expand(1, 1, 64, 64)
    coarse = torch.arange(64).div(16).floor().remainder(2).expand(1, 1, 64, 64)
    one, eight = grey_level_distance(coarse, fine, scales=(1, 8))[0].tolist()
    assert one == 0 and eight > 0.5, (one, eight)


def test_grey_level_distance_of_the_mean_grey_is_one_and_has_a_gradient() -> None:
    x = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    y = x.mean(dim=(2, 3), keepdim=True).expand_as(x).clone().requires_grad_()
    found = grey_level_distance(x, y, scales=(1,), floor=1e-9)
    torch.testing.assert_close(found, torch.ones(2, 1))
    found.sum().backward()
    assert y.grad is not None and torch.isfinite(y.grad).all() and y.grad.abs().max() > 0


def test_grey_level_distance_refuses_other_shapes() -> None:
    with pytest.raises(InputError, match=r"must both be \(B, 1, H, W\)"):
        grey_level_distance(torch.zeros(1, 1, 64, 64), torch.zeros(1, 1, 64, 32))
