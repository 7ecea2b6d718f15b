"""Decoders from latents to micrographs: the paper's (section 3.3) and a convolutional texture one.

Both turn z (B, D) into images (B, 1, H, W) in [0, 1].
"""

import math
from itertools import pairwise

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from core.cells import normalise_cells, pad_circular, spread_cells
from core.errors import ConfigError, InputError
from core.gram import widened
from core.joint_noise import draw_normal
from core.strips import Style, style_in_strips

STRIDE = 16  # px of the finished picture for one position of the coarsest map
FIRST_GRAIN = 0.01  # deviation in grey levels: at 0 there would be no gradient
GRAIN_PX = 5  # side of the filter of the grain
STEP = 32  # px: the smallest side, and the step of sides that tile
MAX_SIDE = 8192


class PaperDecoder(nn.Module):
    """The paper's decoder: fully connected to 8x8, four blocks of convolution, upsampling, ReLU.

    Deterministic, one size only. Zero padding, slope 0.3, nearest-neighbour upsampling as in
    section 3.3; the number of channels is ours (the paper gives none), and so is the last
    convolution to one grey channel with a sigmoid.
    """

    def __init__(self, latents: int, channels: tuple[int, ...], patch_px: int) -> None:
        super().__init__()
        self.patch_px, self.first = patch_px, (channels[0], patch_px // 16, patch_px // 16)
        self.linear = nn.Linear(latents, math.prod(self.first))
        pairs = pairwise(channels)
        self.convolutions = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairs)
        self.grey = nn.Conv2d(channels[-1], 1, 3, padding=1)

    def forward(
        self, z: Tensor, height: int, width: int, generator: Generator | None, periodic: bool
    ) -> Tensor:
        """Decode z (B, D); ``generator`` and ``periodic`` have no effect here."""
        if (height, width) != (self.patch_px, self.patch_px):
            raise ConfigError(
                f"the paper's decoder makes {self.patch_px}x{self.patch_px} px only, not "
                f"{height}x{width}; use a model with decoder 'texture' for other sizes"
            )
        x = self.linear(z).unflatten(1, self.first)  # (B, C, 8, 8)
        for convolution in self.convolutions:
            x = F.leaky_relu(F.interpolate(convolution(x), scale_factor=2.0), 0.3)
        return torch.sigmoid(self.grey(x).float())


class TextureDecoder(nn.Module):
    """A fully convolutional decoder of noise, styled by z; any size, tileable, no fixed place.

    Deviation from the paper, whose fully connected decoder in our trials gave nearly the same
    picture for every z and only one size. Noise says where things are, z says what they are like:
    after each convolution the map is normalised and then scaled and shifted as z says (adaptive
    instance normalisation, Huang and Belongie 2017, arXiv:1703.06868), with noise at every scale
    as in Ulyanov et al. 2016 (arXiv:1603.03417). Normalisation is what lets z set an amount, such
    as the area of graphite, whatever the noise. In a field of cells each cell is normalised by
    itself, as a patch is.

    With ``grain``, noise is added to the finished picture, as much as z says: see `Grain`.
    """

    def __init__(
        self,
        latents: int,
        channels: tuple[int, ...],
        grain: bool = False,
        finest_noise: bool = True,
        width: int = 256,
    ) -> None:
        super().__init__()
        self.mapping = nn.Sequential(
            nn.Linear(latents, width), nn.LeakyReLU(0.2), nn.Linear(width, width), nn.LeakyReLU(0.2)
        )
        for layer in self.mapping:
            if isinstance(layer, nn.Linear):  # keep the variance of z, so that it counts early
                nn.init.kaiming_normal_(layer.weight, a=0.2)
                nn.init.zeros_(layer.bias)
        self.first = channels[0]
        # Two convolutions a scale; the second narrows before upsampling, where it is cheap.
        following = (*channels[1:], channels[-1])
        layers = []
        for here, after in zip(channels, following, strict=True):
            layers += [StyledConv(here, here, width), StyledConv(here, after, width)]
        self.layers = nn.ModuleList(layers)
        self.noisy = len(layers) - (not finest_noise)  # layers that draw noise
        self.grey = nn.Conv2d(channels[-1], 1, 1)
        self.grain = Grain(width) if grain else None

    def forward(
        self, z: Tensor, height: int, width: int, generator: Generator | None, periodic: bool
    ) -> Tensor:
        """Decode z to (B, 1, height, width); see `TextureVAE.decode`.

        z is (B, D), or (B, D, rows, columns) for a field whose microstructure varies: one z a cell.
        """
        _check_size(height, width, periodic)
        rows, columns = (drawn_px(side, periodic) // STRIDE for side in (height, width))
        if z.dim() == 4 and (z.shape[2] > rows or z.shape[3] > columns):
            raise InputError(
                f"{z.shape[2]} x {z.shape[3]} cells are too many for {height} x {width} px: "
                f"at most one each {STRIDE} px"
            )
        if z.dim() == 4 and z.shape[2:] == (1, 1):
            z = z[:, :, 0, 0]  # one cell is the whole map
        w = self.mapping(z.movedim(1, -1))  # (B, width) or (B, rows, columns, width)
        x = _noise((len(z), self.first, rows, columns), z, generator)
        for i, layer in enumerate(self.layers):
            factor = 2 if i and i % 2 == 0 else 1
            size = (factor * x.shape[2], factor * x.shape[3])
            noise = _noise((len(z), 1, *size), z, generator) if i < self.noisy else None
            x = layer(x, w, noise, factor)
        grey = torch.sigmoid(self.grey(x).float())
        if self.grain is not None:
            grey = (grey + self.grain(w, _noise(tuple(grey.shape), grey, generator))).clamp(0, 1)
        return grey[:, :, :height, :width]


class Grain(nn.Module):
    """A detector's noise: normal, correlated from pixel to pixel, as strong as w says.

    Noise that has gone through layers that are not linear is not normal any more, and a classifier
    of generated and real pictures (`core.realism`) tells the two by that alone.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.strength = nn.Linear(width, 1)
        nn.init.zeros_(self.strength.weight)
        nn.init.constant_(self.strength.bias, FIRST_GRAIN)
        kernel = torch.zeros(1, 1, GRAIN_PX, GRAIN_PX)
        kernel[..., GRAIN_PX // 2, GRAIN_PX // 2] = 1.0
        self.kernel = nn.Parameter(kernel)

    @torch.no_grad()
    def measured(self, kernel: Tensor, strength: float) -> None:
        """Take a filter and a strength for every w; the filter is kept, the strength learns on."""
        self.kernel.copy_(kernel)
        self.kernel.requires_grad_(False)
        self.strength.bias.fill_(strength)
        self.strength.weight.zero_()

    def forward(self, w: Tensor, noise: Tensor) -> Tensor:
        """Map w (B, [rows, columns,] width) and white noise (B, 1, H, W) to what is added."""
        padded = F.pad(noise, [GRAIN_PX // 2] * 4, mode="circular")
        filtered = F.conv2d(padded, self.kernel / self.kernel.norm())
        return filtered.float() * spread_cells(self.strength(w).float(), *noise.shape[2:])


class StyledConv(nn.Module):
    """A 3x3 convolution, circularly padded, noise, normalisation by cell, scale and shift by w."""

    def __init__(self, inputs: int, outputs: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3) / math.sqrt(9 * inputs))
        self.outputs = outputs
        self.affine = nn.Linear(width, 3 * outputs)
        with torch.no_grad():  # start from scale 1, shift 0, a little noise; 0.3 for a w of 1
            nn.init.normal_(self.affine.weight, std=0.3 / math.sqrt(width))
            bias = (torch.ones(outputs), torch.zeros(outputs), torch.full((outputs,), 0.3))
            self.affine.bias.copy_(torch.cat(bias))

    def style(self, w: Tensor) -> Style:
        """Return scale, shift and strength of the noise for w (B, [rows, columns,] width)."""
        return Style(*widened(self.affine(w)).split(self.outputs, dim=-1))

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None, factor: int = 1) -> Tensor:
        """Double the positions first where ``factor`` is 2, then convolve and style.

        x is (B, inputs, H, W), w (B, [rows, columns,] width), noise (B, 1, factor H, factor W) or
        None. Returns (B, outputs, factor H, factor W).
        """
        if not torch.is_grad_enabled():
            return style_in_strips(x, self.weight, self.style(w), noise, factor)
        if factor == 2:
            x = F.interpolate(x, scale_factor=2.0)
        size = (x.shape[2], x.shape[3])
        scale, shift, strength = self.style(w)
        y = widened(F.conv2d(pad_circular(x), self.weight))
        # All but the convolution in float32: operations on two precisions are several times slower.
        with torch.autocast(x.device.type, enabled=False):
            if noise is not None:
                y = y.addcmul_(noise, spread_cells(strength, *size))
            y = normalise_cells(y, w.shape[1:-1])
            y = (y * spread_cells(scale, *size)).add_(spread_cells(shift, *size))
            return F.leaky_relu(y, 0.2, inplace=True)


def drawn_px(side: int, periodic: bool) -> int:
    """Return how many px a side are drawn, and the cells spread over, for a picture of ``side``.

    Without wrapping, the right edge must not see the left one through the coarsest layers.
    """
    return math.ceil((side + (0 if periodic else 2 * STRIDE)) / STRIDE) * STRIDE


def _noise(shape: tuple[int, ...], like: Tensor, generator: Generator | None) -> Tensor:
    """Draw normal noise on the CPU, so that a seed gives one picture on every device."""
    return draw_normal(shape, generator).to(device=like.device, dtype=like.dtype)


def _check_size(height: int, width: int, periodic: bool) -> None:
    for side in (height, width):
        if not STEP <= side <= MAX_SIDE:
            raise InputError(f"a side of {side} px is out of range: {STEP} to {MAX_SIDE} px")
        if periodic and side % STEP:
            below = side // STEP * STEP
            raise ConfigError(
                f"a tileable picture needs sides that are multiples of {STEP} px, not {side}: "
                f"choose {below} or {below + STEP}, or a picture that need not tile"
            )
