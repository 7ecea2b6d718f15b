"""Relative style error: how far apart two pictures' Gram matrices of VGG19 features are.

Gatys, Ecker and Bethge 2015, arXiv:1505.07376; as a relative error, layer by layer, it is the
measure of record of this project.
"""

from torch import Tensor, nn

from core.gram import style_statistics
from core.losses import relative_style_error as by_layer
from core.metrics.inputs import check_pair
from core.vgg import VGG19

LEAST_PX = 16  # pool4 then has one place


def relative_style_error(vgg: VGG19, x: Tensor, y: Tensor) -> Tensor:
    """Compute the mean over conv1_1, pool1 .. pool4 of ||G_x - G_y||_F^2 / ||G_x||_F^2.

    Args:
        vgg: the backbone; average pooling is used whatever its own.
        x: (B, 1, H, W) originals in [0, 1].
        y: the same for the pictures that are judged.

    Returns:
        (B,) >= 0, lower is better; 0 for equal Gram matrices.

    Raises:
        InputError: the pictures cannot be compared.
    """
    check_pair(x, y, LEAST_PX)
    average = vgg.with_pooling("average")
    target, made = (style_statistics(average(images, last="pool4")) for images in (x, y))
    return by_layer(target, made).mean(dim=1)


class RelativeStyleError(nn.Module):
    """`relative_style_error` with its backbone."""

    def __init__(self, vgg: VGG19) -> None:
        super().__init__()
        self.vgg = vgg.with_pooling("average")

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """See `relative_style_error`."""
        return relative_style_error(self.vgg, x, y)
