"""A critic of synthesised pictures: heads on VGG19's features, trained against the decoder.

Gram matrices hold how features go together on the average over a picture; half-toned particles,
grain boundaries that end nowhere and flakes that join into webs change them little. The critic sees
features position by position and learns what never occurs in originals. Reading frozen features of
a trained network instead of pixels is what makes it learn in few steps (Sauer et al. 2021,
"Projected GANs", arXiv:2111.01007), and here they are computed for the style loss anyway. Each head
also knows the latents of the picture that was to be made (projection: Miyato and Koyama 2018,
arXiv:1802.05637). Spectral normalisation and hinge loss (Miyato et al. 2018, arXiv:1802.05957). Not
in the paper, which has no adversarial term.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from core.gram import Features, Statistics
from core.vgg import CHANNELS

CRITIC_LAYERS = ("conv1_1", "pool1", "pool2", "pool3", "pool4")
WIDTHS = {"conv1_1": 16, "pool1": 32}  # fewer channels where there are many positions
WIDTH = 64
RATE = 5e-4
WARM_UP = 200  # steps in which the decoder comes to listen to it


class Critic(nn.Module):
    """Says of each position of each layer whether it looks like an original's (more is better)."""

    def __init__(self, latents: int, layers: Sequence[str]) -> None:
        super().__init__()
        self.layers = tuple(layer for layer in CRITIC_LAYERS if layer in layers)
        self.heads = nn.ModuleDict({layer: _Head(layer, latents) for layer in self.layers})

    def forward(self, features: Features, scales: dict[str, Tensor], z: Tensor) -> list[Tensor]:
        """Judge pictures by their features.

        Args:
            features: layer -> (B, C, H, W).
            scales: layer -> (B, 1, 1, 1), the features' size in the originals (`feature_scales`).
            z: (B, D, rows, columns), latents of the originals' cells.

        Returns:
            For each layer (B, 1, H, W).
        """
        return [
            self.heads[name](features[name] * (1 / scales[name]).to(features[name].dtype), z)
            for name in self.layers
        ]


class _Head(nn.Module):
    def __init__(self, layer: str, latents: int) -> None:
        super().__init__()
        width = WIDTHS.get(layer, WIDTH)
        self.mix = spectral_norm(nn.Conv2d(CHANNELS[layer], width, 1))
        self.look = spectral_norm(nn.Conv2d(width, width, 3, padding=1, padding_mode="reflect"))
        self.judge = spectral_norm(nn.Conv2d(width, 1, 1))
        self.expect = spectral_norm(nn.Linear(latents, width, bias=False))

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        x = F.leaky_relu(self.mix(x), 0.2)
        x = F.leaky_relu(self.look(x), 0.2)
        expected = self.expect(z.movedim(1, -1)).movedim(-1, 1)  # (B, width, rows, columns)
        expected = F.interpolate(expected, x.shape[2:], mode="nearest")
        return self.judge(x) + (x * expected).mean(dim=1, keepdim=True)


def feature_scales(statistics: Statistics, layers: Sequence[str]) -> dict[str, Tensor]:
    """Return each picture's root mean square of each layer's features, (B, 1, 1, 1) float32."""
    scales = {}
    for layer in layers:
        square = statistics[layer].gram.diagonal(dim1=1, dim2=2).mean(dim=1)
        scales[layer] = square.sqrt()[:, None, None, None] + torch.finfo(square.dtype).tiny
    return scales


def critic_loss(of_originals: Sequence[Tensor], of_made: Sequence[Tensor]) -> Tensor:
    """What the critic minimises: the hinge loss, a mean over pictures, positions and layers."""
    parts = [
        (F.relu(1 - real.float()).mean() + F.relu(1 + made.float()).mean()) / 2
        for real, made in zip(of_originals, of_made, strict=True)
    ]
    return torch.stack(parts).mean()


def decoder_loss(of_made: Sequence[Tensor]) -> Tensor:
    """What the decoder minimises: minus the critic's mean opinion, layer by layer."""
    return -torch.stack([made.float().mean() for made in of_made]).mean()
