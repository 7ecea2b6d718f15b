"""The denoiser: a U-Net that estimates a micrograph from a noisy one, its noise and its latents.

Karras et al. 2022, "Elucidating the design space of diffusion-based generative models",
arXiv:2206.00364: scaled at its inputs and outputs (their Table 1, last column) so that what the
network itself has to give has variance one at every level of noise.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.cells import pad_circular
from core.errors import ConfigError
from core.model import check_integer, checked_keys

STRIDE = 4  # px a side that one position of the finest map holds
WAVES = 16
LONGEST, SHORTEST = 0.25, 16.0  # radians a unit of the noise's logarithm


@dataclass(frozen=True, slots=True, kw_only=True)
class DenoiserConfig:
    """Everything that decides a denoiser's shape and use; checked on construction.

    Attributes:
        latents: of the model that it finishes pictures of.
        channels: a level, fine to coarse; each level has half the positions a side.
        width: of the vector that says z and the noise.
        lowest, highest: standard deviation of the noise that it has learned to take out, in grey
            levels (0 to 1).
        coarse: noise that is added to a draft first, to find what no micrograph has; 0 for none.
        coarse_steps: in which it is taken out, down to ``start``.
        start: noise that is added then, to give the picture the detail of real ones.
        steps: in which it is taken out.

    Raises:
        ConfigError: a value is out of its range.
    """

    latents: int = 64
    channels: tuple[int, ...] = (64, 96, 96)
    width: int = 128
    lowest: float = 0.004
    highest: float = 0.4
    coarse: float = 0.3
    coarse_steps: int = 3
    start: float = 0.03
    steps: int = 4

    def __post_init__(self) -> None:
        check_integer("latents", self.latents, 1, 256)
        check_integer("width", self.width, 8, 1024)
        check_integer("steps", self.steps, 1, 100)
        check_integer("coarse_steps", self.coarse_steps, 1, 100)
        if not isinstance(self.channels, (tuple, list)) or not 1 <= len(self.channels) <= 5:
            raise ConfigError(f"channels must be 1 to 5 integers, not {self.channels!r}")
        object.__setattr__(self, "channels", tuple(self.channels))
        for channels in self.channels:
            check_integer("channels", channels, 8, 512)
        for name in ("lowest", "highest", "start", "coarse"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise ConfigError(f"{name} must be a number, not {value!r}")
        if not 0 < self.lowest < self.start <= self.highest <= 10:
            raise ConfigError(
                "noise must grow from lowest over start to highest, above 0 and up to 10, not "
                f"{self.lowest}, {self.start}, {self.highest}"
            )
        if self.coarse and not self.start < self.coarse <= self.highest:
            raise ConfigError(
                f"coarse must be 0, or above start and up to highest, not {self.coarse}"
            )

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "DenoiserConfig":
        """Build from JSON content; unknown keys raise ConfigError."""
        return cls(**checked_keys(cls, content))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON content that `from_dict` reads back."""
        return asdict(self) | {"channels": list(self.channels)}

    @property
    def step_px(self) -> int:
        """Sides of pictures must be multiples of this."""
        return STRIDE * 2 ** (len(self.channels) - 1)


@dataclass(frozen=True, slots=True)
class Shares:
    """How much each position of the finest map takes from each cell's latents.

    Attributes:
        rows: (B, H / 4, R), sums over R are one. columns: (B, W / 4, C) likewise.
    """

    rows: Tensor
    columns: Tensor

    def halved(self) -> "Shares":
        """Return the shares of a map with half the positions a side."""
        return Shares(*(x.unflatten(1, (-1, 2)).mean(dim=2) for x in (self.rows, self.columns)))

    def spread(self, values: Tensor) -> Tensor:
        """Spread values (B, R, C, K) of the cells over the map, (B, K, H / 4, W / 4).

        Those of a single cell come back as (B, K, 1, 1).
        """
        if values.shape[1:3] == (1, 1):
            return values.movedim(-1, 1)  # one cell: the same everywhere
        by_row = torch.matmul(self.rows, values.flatten(2)).unflatten(2, values.shape[2:])
        return torch.matmul(self.columns[:, None], by_row).movedim(-1, 1)


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut, scaled and shifted by w in between.

    Normalised position by position: what is seen at one place does not depend on the size of the
    picture, or on what is far away.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(channels))
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.affine = nn.Linear(width, 2 * channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        for layer in (self.affine, self.second):
            _zero(layer)

    def forward(self, x: Tensor, w: Tensor, shares: Shares, periodic: bool = False) -> Tensor:
        """Map x (B, C, H, W) for w (B, R, C, width) to the same shape."""
        size = torch.linalg.vector_norm(x, dim=1, keepdim=True).float().square() / x.shape[1]
        gain = self.gain.to(x.dtype)[:, None, None]
        h = F.silu(x * (size + 1e-4).rsqrt().to(x.dtype) * gain)
        scale, shift = self.affine(w).chunk(2, dim=-1)
        both = shares.spread(torch.cat([1 + scale, shift], dim=-1))
        scale, shift = both.to(x.dtype).chunk(2, dim=1)
        h = F.silu(torch.addcmul(shift, _convolved(self.first, h, periodic), scale))
        y: Tensor = x + _convolved(self.second, h, periodic)
        return y


class Denoiser(nn.Module):
    """Estimates micrographs (B, 1, H, W) from noisy ones; H and W multiples of ``step_px``."""

    centre: Tensor
    spread: Tensor
    waves: Tensor

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        self.config = config
        channels, width = config.channels, config.width
        self.register_buffer("centre", torch.tensor(0.5))  # of grey levels
        self.register_buffer("spread", torch.tensor(0.2))  # their standard deviation
        waves = torch.linspace(math.log(LONGEST), math.log(SHORTEST), WAVES).exp()
        self.register_buffer("waves", waves, persistent=False)
        self.of_z = nn.Sequential(
            nn.Linear(config.latents, width), nn.SiLU(), nn.Linear(width, width)
        )
        self.of_noise = nn.Sequential(
            nn.Linear(2 * WAVES, width), nn.SiLU(), nn.Linear(width, width)
        )
        self.inlet = nn.Conv2d(STRIDE**2, channels[0], 3, padding=1)
        self.down = nn.ModuleList(Block(c, width) for c in channels)
        self.coarser = nn.ModuleList(nn.Conv2d(4 * a, b, 1) for a, b in pairwise(channels))
        self.middle = Block(channels[-1], width)
        self.finer = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(channels))
        self.up = nn.ModuleList(Block(c, width) for c in channels)
        self.up_again = nn.ModuleList(Block(c, width) for c in channels)
        self.outlet = nn.Conv2d(channels[0], STRIDE**2, 3, padding=1)
        _zero(self.outlet)

    def forward(
        self, noisy: Tensor, noise: Tensor, z: Tensor, shares: Shares, periodic: bool = False
    ) -> Tensor:
        """Estimate the micrograph in each noisy one.

        Args:
            noisy: (B, 1, H, W), the micrograph plus normal noise.
            noise: (B,) standard deviation of that noise.
            z: (B, R, C, D) latents of the cells.
            shares: how the cells lie in the picture.
            periodic: whether opposite edges touch; zeros lie round the picture otherwise.

        Returns:
            (B, 1, H, W) float32, not limited to [0, 1].
        """
        noise = noise.view(-1, 1, 1, 1)
        total = (noise.square() + self.spread.square()).sqrt()
        own = self._network((noisy - self.centre) / total, noise, z, shares, periodic).float()
        kept = (self.spread / total).square() * (noisy - self.centre)
        return self.centre + kept + own * noise * self.spread / total

    def _network(
        self, x: Tensor, noise: Tensor, z: Tensor, shares: Shares, periodic: bool
    ) -> Tensor:
        angles = noise.flatten().log()[:, None] * self.waves
        said = self.of_noise(torch.cat([angles.sin(), angles.cos()], dim=1))
        w = F.silu(self.of_z(z) + said[:, None, None, :])
        levels = [shares]
        for _ in self.coarser:
            levels.append(levels[-1].halved())
        x = F.pixel_unshuffle(x, STRIDE).contiguous(memory_format=torch.channels_last)
        x = _convolved(self.inlet, x, periodic)
        seen = []
        for i, block in enumerate(self.down):
            if i:
                x = _halved(x, *self.coarser[i - 1].parameters())
            x = block(x, w, levels[i], periodic)
            seen.append(x)
        x = self.middle(x, w, levels[-1], periodic)
        for i in reversed(range(len(levels))):
            if i < len(levels) - 1:
                x = F.interpolate(self.finer[i](x), scale_factor=2.0)
            x = self.up[i](x + seen[i], w, levels[i], periodic)
            x = self.up_again[i](x, w, levels[i], periodic)
        return F.pixel_shuffle(_convolved(self.outlet, F.silu(x), periodic), STRIDE)


def _convolved(layer: nn.Conv2d, x: Tensor, periodic: bool) -> Tensor:
    """Return a 3x3 convolution of x (B, C, H, W), of the same size."""
    if not periodic:
        y: Tensor = layer(x)
        return y
    return F.conv2d(pad_circular(x), layer.weight, layer.bias)


def _halved(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return what a 1x1 convolution makes of 2x2 positions as one, without rearranging x first."""
    return F.conv2d(x, weight.unflatten(1, (-1, 2, 2)).flatten(3), bias, stride=2)


@torch.no_grad()
def _zero(layer: nn.Module) -> None:
    """Begin with nothing coming out of a layer."""
    for parameter in layer.parameters():
        parameter.zero_()
