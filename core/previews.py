"""Pictures of a training run: patches above, what the model makes of them below, as it improves."""

from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor

from core.files import write_bytes
from core.images import encode_png
from core.model import Head, TextureVAE
from core.vgg import VGG19

FOLDER = "previews"
COUNT = 6
GAP_PX = 4
WRITABLE_UM = (1e-3, 1e5)  # scales per px that a PNG can hold


class Previews:
    """Fixed patches and what the encoder reads of them, drawn anew at each evaluation.

    The decoder's noise is the same every time, so that only the training changes the pictures.
    """

    def __init__(
        self, vgg: VGG19, patches: Tensor, head: Head, um_per_px: float | None = None
    ) -> None:
        """Read the patches once.

        Args:
            vgg: the model's backbone.
            patches: (N, 1, H, W) in [0, 1], best ones that are not trained on.
            head: the model's head, to say which features it reads.
            um_per_px: scale of the patches, kept in the pictures; None where it is not known.
        """
        low, high = WRITABLE_UM
        self.um_per_px = um_per_px if um_per_px and low <= um_per_px <= high else None
        self.patches = patches
        with torch.no_grad():
            self.inputs = head.inputs(vgg(patches.to(next(head.parameters()).device)))

    @torch.no_grad()
    def draw(self, vae: TextureVAE) -> np.ndarray:
        """Return the picture: (2 H + gap, N (W + gap) - gap) float32 in [0, 1]."""
        height, width = self.patches.shape[2:]
        mu = vae.head(self.inputs)[0]
        made = vae.decode(mu, height, width, Generator().manual_seed(0)).float().cpu()
        rows = [_row(self.patches), _row(made)]
        gap = np.ones((GAP_PX, rows[0].shape[1]), dtype=np.float32)
        return np.concatenate([rows[0], gap, rows[1]])

    def write(self, out: Path, step: int, vae: TextureVAE) -> None:
        """Write the picture of a step into a run's folder."""
        picture = encode_png(self.draw(vae), self.um_per_px)
        write_bytes(out / FOLDER / f"step-{step:08d}.png", picture)


def _row(images: Tensor) -> np.ndarray:
    """Lay pictures (N, 1, H, W) side by side, white between them."""
    pictures = images[:, 0].numpy().astype(np.float32)
    padded = np.pad(pictures, ((0, 0), (0, 0), (0, GAP_PX)), constant_values=1.0)
    return np.concatenate(list(padded), axis=1)[:, :-GAP_PX]
