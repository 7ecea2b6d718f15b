"""What is measured while a model trains: style error on fixed patches, and signs of collapse."""

from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor

from core.gram import Statistics, style_statistics
from core.losses import kl_divergence, relative_style_error
from core.model import Head, TextureVAE
from core.objective import cut_cells, lay_cells
from core.vgg import STYLE_LAYERS, VGG19

ACTIVE_VARIANCE = 0.05  # of mu over the patches: above it a latent is active
_CHUNK = 8  # patches through VGG19 at once


class Validation:
    """Fixed validation patches and their features, measured against a model's reconstructions.

    The style error is the measure of record: relative, raw Gram matrices, average pooling (also
    for models that train with another pooling), z = mu, the same decoder noise every time.
    """

    def __init__(
        self,
        vgg: VGG19,
        patches: Tensor,
        sample: Tensor,
        head: Head,
        regions: Tensor | None = None,
    ) -> None:
        """Compute the patches' features once.

        Args:
            vgg: the model's backbone.
            patches: (N, 1, H, W) validation patches.
            sample: (n, inputs) raw head inputs of training patches, for the active latents.
            head: the model's head, to say which features it reads.
            regions: (N, 1, k H, k W) validation regions of k x k cells, for models trained on them.
        """
        self.average = vgg.with_pooling("average")
        self.sample = sample
        self.height, self.width = patches.shape[2:]
        self.patches = self._read(vgg, head, patches.to(sample.device))
        self.regions: list[_Chunk] = []
        if regions is not None:
            self.regions = self._read(vgg, head, regions.to(sample.device))

    @torch.no_grad()
    def _read(self, vgg: VGG19, head: Head, images: Tensor) -> list["_Chunk"]:
        """Compute what the encoder reads and the style to reach, of patches or regions."""
        cells = images.shape[2] // self.height
        chunks = []
        for chunk in images.split(max(_CHUNK // cells**2, 1)):
            inputs = head.inputs(vgg(cut_cells(chunk, cells)))
            target = style_statistics(self.average(chunk, last="pool4"))
            chunks.append(_Chunk(inputs, target, cells))
        return chunks

    @torch.no_grad()
    def measure(self, vae: TextureVAE) -> dict[str, Any]:
        """Return the relative style error and its parts, KL in nats, and active latents."""
        errors, kls = self._compare(vae, self.patches)
        parts = errors.mean(dim=0)  # (layers,)
        spread = vae.head(self.sample)[0].var(dim=0)  # (D,)
        figures: dict[str, Any] = {
            "relative": parts.mean().item(),
            "kl_nats": kls.mean().item(),
            "active_latents": int((spread > ACTIVE_VARIANCE).sum()),
        }
        names = (f"relative_{name}" for name in STYLE_LAYERS)
        figures |= dict(zip(names, parts.tolist(), strict=True))
        if self.regions:
            figures["relative_regions"] = self._compare(vae, self.regions)[0].mean().item()
        return figures

    def _compare(self, vae: TextureVAE, chunks: list["_Chunk"]) -> tuple[Tensor, Tensor]:
        """Return relative style errors (N, layers) and KL, nats, of each cell."""
        generator = Generator().manual_seed(0)
        errors, kls = [], []
        for inputs, target, cells in chunks:
            mu, logvar = vae.head(inputs)
            z = lay_cells(mu, cells)
            made = vae.decode(z, cells * self.height, cells * self.width, generator)
            features = self.average(made, last="pool4")
            errors.append(relative_style_error(target, style_statistics(features)))
            kls.append(kl_divergence(mu, logvar))
        return torch.cat(errors), torch.cat(kls)


class _Chunk(NamedTuple):
    inputs: Tensor  # (B cells^2, n), what the head reads of each cell
    target: Statistics  # of the B images
    cells: int  # a side
