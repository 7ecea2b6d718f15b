"""Claims about what every metric refuses."""

import pytest
import torch

from core.errors import InputError
from core.metrics.inputs import check_images, check_pair


def grey(*shape: int) -> torch.Tensor:
    return torch.full(shape, 0.5)


def test_pictures_in_order_pass():
    check_images(grey(2, 1, 64, 96), 64, 32)
    check_pair(grey(1, 1, 32, 32), grey(1, 1, 32, 32), 32)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (grey(64, 64), r"\(B, 1, H, W\).*\(64, 64\)"),
        (grey(1, 3, 64, 64), r"\(1, 3, 64, 64\)"),
        (grey(0, 1, 64, 64), "B > 0"),
        (grey(1, 1, 64, 64).to(torch.uint8), "uint8"),
        (grey(1, 1, 63, 64), "63 x 64 px: each must be at least 64 px"),
        (grey(1, 1, 64, 72), "multiple of 16 px"),
        (grey(1, 1, 64, 64) * 3, r"grey levels must be in \[0, 1\]; they go from 1.5 to 1.5"),
        (grey(1, 1, 64, 64) * torch.nan, "nan"),
    ],
)
def test_what_is_wrong_is_said(images: torch.Tensor, message: str):
    with pytest.raises(InputError, match=message):
        check_images(images, 64, 16)


def test_pictures_of_two_shapes_are_refused():
    with pytest.raises(InputError, match="differ in shape"):
        check_pair(grey(1, 1, 64, 64), grey(2, 1, 64, 64), 32)
