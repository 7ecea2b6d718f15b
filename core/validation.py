"""What is measured while a model trains: style error on fixed patches, and signs of collapse."""

from typing import Any

import torch
from torch import Generator, Tensor

from core.gram import Statistics, style_statistics
from core.losses import kl_divergence, relative_style_error
from core.model import Head, TextureVAE
from core.vgg import STYLE_LAYERS, VGG19

ACTIVE_VARIANCE = 0.05
_CHUNK = 8  # patches through VGG19 at once


class Validation:
    """Fixed validation patches and their features, measured against a model's reconstructions.

    The style error is the measure of record: relative, raw Gram matrices, average pooling (also
    for models that train with another pooling), z = mu, the same decoder noise every time.
    """

    def __init__(self, vgg: VGG19, patches: Tensor, sample: Tensor, head: Head) -> None:
        """Compute the patches' features once.

        Args:
            vgg: the model's backbone.
            patches: (N, 1, H, W) validation patches.
            sample: (n, inputs) raw head inputs of training patches, for the active latents.
            head: the model's head, to say which features it reads.
        """
        self.average = vgg.with_pooling("average")
        self.sample = sample
        self.height, self.width = patches.shape[2:]
        device = sample.device
        self.inputs: list[Tensor] = []  # (B, inputs) a chunk
        self.targets: list[Statistics] = []
        with torch.no_grad():
            for chunk in patches.to(device).split(_CHUNK):
                self.inputs.append(head.inputs(vgg(chunk)))
                self.targets.append(style_statistics(self.average(chunk, last="pool4")))

    @torch.no_grad()
    def measure(self, vae: TextureVAE) -> dict[str, Any]:
        """Return the relative style error and its parts, KL in nats, and active latents."""
        generator = Generator().manual_seed(0)
        errors, kls = [], []
        for inputs, target in zip(self.inputs, self.targets, strict=True):
            mu, logvar = vae.head(inputs)
            made = vae.decode(mu, self.height, self.width, generator)
            features = self.average(made, last="pool4")
            errors.append(relative_style_error(target, style_statistics(features)))
            kls.append(kl_divergence(mu, logvar))
        parts = torch.cat(errors).mean(dim=0)  # (layers,)
        spread = vae.head(self.sample)[0].var(dim=0)  # (D,)
        figures: dict[str, Any] = {
            "relative": parts.mean().item(),
            "kl_nats": torch.cat(kls).mean().item(),
            "active_latents": int((spread > ACTIVE_VARIANCE).sum()),
        }
        names = (f"relative_{name}" for name in STYLE_LAYERS)
        return figures | dict(zip(names, parts.tolist(), strict=True))
