"""Pictures of a training run show the patches above and what is made of them below."""

from pathlib import Path

import numpy as np
import torch

from core.images import read_image
from core.previews import GAP_PX, Previews


def test_patches_stand_above_their_reconstructions(loaded, tmp_path: Path):
    patches = torch.rand((3, 1, 64, 64), generator=torch.Generator().manual_seed(0))
    previews = Previews(loaded.vgg, patches, loaded.vae.head, um_per_px=0.5)
    previews.write(tmp_path, 7, loaded.vae)
    micrograph = read_image(tmp_path / "previews" / "step-00000007.png")
    assert micrograph.um_per_px == 0.5
    picture = micrograph.pixels
    assert picture.shape == (128 + GAP_PX, 3 * 64 + 2 * GAP_PX)
    for place in range(3):
        left = place * (64 + GAP_PX)
        np.testing.assert_allclose(
            picture[:64, left : left + 64], patches[place, 0].numpy(), atol=0.51 / 255
        )
    assert (picture[64 : 64 + GAP_PX] == 1).all()
    again = previews.draw(loaded.vae)
    np.testing.assert_array_equal(again, previews.draw(loaded.vae))
    with torch.no_grad():
        mu, _ = loaded.vae.encode(loaded.vgg(patches))
        made = loaded.vae.decode(mu, 64, 64, torch.Generator().manual_seed(0))
    np.testing.assert_allclose(again[-64:, :64], made[0, 0].numpy(), atol=1e-6)


def test_a_scale_that_no_picture_can_hold_is_left_out(loaded):
    patches = torch.rand((1, 1, 64, 64), generator=torch.Generator().manual_seed(0))
    for scale, kept in ((None, None), (2e-4, None), (1e-3, 1e-3), (0.2, 0.2), (2e5, None)):
        assert Previews(loaded.vgg, patches, loaded.vae.head, scale).um_per_px == kept
